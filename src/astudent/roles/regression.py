"""When training has made a model worse at a role: what a mean over all tokens hides."""

from collections.abc import Mapping

THRESHOLD = 0.10
"""Share by which a role's loss must rise to count as a regression."""
LEAST_NATS = 0.001
"""Least rise (nats a token) that counts: a role at 1e-7 that goes to 2e-7 is as good as before."""


def is_regression(before: float, after: float, threshold: float = THRESHOLD) -> bool:
    """Whether a role's loss (nats a token) rose by more than `threshold` of itself, and by more than nothing."""
    return after - before > max(threshold * before, LEAST_NATS)


def regressed(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """The roles of `after` whose loss is a regression against `before`."""
    return [role for role, loss in after.items() if role in before and is_regression(before[role], loss)]
