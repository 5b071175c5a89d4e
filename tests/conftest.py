"""A loaded machine is slow, not wrong: property tests have no deadline per example, and may take their time over the first one."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
