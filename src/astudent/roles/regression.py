"""When training has made a model worse at a role: what a mean over all tokens hides."""

from collections.abc import Mapping

THRESHOLD = 0.10
"""Relative change of a role's loss beyond which it has improved or regressed."""
LEAST_CHANGE = 0.001
"""Nats per token that a change must also have. The model's probability of a token then differs by a thousandth: below it,
a role that is all but certain (1e-7 to 2e-7) would double its loss and mean nothing."""


def is_change(before: float, after: float, threshold: float = THRESHOLD) -> bool:
    """Whether a role's loss (nats per token) changed by more than `threshold` of itself, and by more than nothing."""
    return abs(after - before) > max(LEAST_CHANGE, threshold * before)


def regressed(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """The roles of `after` whose loss has risen by such a change."""
    return [role for role, loss in after.items() if loss > before.get(role, loss) and is_change(before[role], loss)]
