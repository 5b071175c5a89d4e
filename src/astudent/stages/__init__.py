"""The ten stages: each takes a configuration, reads files, writes files, and can be stopped and resumed."""
