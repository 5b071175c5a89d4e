"""The loss of every scored token -> sums by role, and the tokens whose loss rose the most."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from astudent.evaluation.statistics import Interval, ratio_bootstrap
from astudent.role_losses.comparison import RoleComparison
from astudent.roles.role import ROLES, GrammarRole

Floats = NDArray[np.float64]
NAMES: tuple[GrammarRole | Literal["TOTAL"], ...] = (*ROLES, "TOTAL")


@dataclass(frozen=True)
class TokenLosses:
    """All T scored tokens, example after example; each column is (T,).

    `examples` is the example's index, `places` the token's index in its target, `roles` an index into ROLES; the losses
    are -log p in nats, `finetuned` None without a checkpoint.
    """

    examples: NDArray[np.int64]
    places: NDArray[np.int64]
    roles: NDArray[np.int8]
    baseline: Floats
    finetuned: Floats | None = None

    def compare(self, threshold: float) -> tuple[list[RoleComparison], RoleComparison]:
        """Every role that occurs, in GrammarRole's order, and all tokens together."""
        before = self._sums(self.baseline)
        after = None if self.finetuned is None else self._sums(self.finetuned)
        intervals = [None] * len(NAMES) if after is None else map(_as_change, ratio_bootstrap(before, after))
        counts, sums = self._sums(np.ones(len(self.roles))).sum(0), before.sum(0)
        new_sums = [None] * len(NAMES) if after is None else after.sum(0).tolist()
        columns = zip(NAMES, counts.astype(int).tolist(), sums.tolist(), new_sums, intervals, strict=True)
        *roles, total = (RoleComparison(*column, threshold) for column in columns)
        return [role for role in roles if role.tokens], total

    def _sums(self, values: Floats) -> Floats:
        """(examples, roles + 1): each example's sums of `values` by role, and over all roles."""
        shape = (int(self.examples[-1]) + 1, len(ROLES))
        flat = np.bincount(self.examples * shape[1] + self.roles, weights=values, minlength=shape[0] * shape[1])
        by_role = flat.reshape(shape)
        return np.hstack([by_role, by_role.sum(1, keepdims=True)])

    def worst(self, most: int) -> dict[GrammarRole, list[int]]:
        """For each role the tokens (indices) whose loss rose the most, or without a checkpoint is the highest.

        At most `most`, each of another example: one answer that went astray would fill them all.
        """
        rise = self.baseline if self.finetuned is None else self.finetuned - self.baseline
        found = {}
        for index, role in enumerate(ROLES):
            tokens = np.flatnonzero((self.roles == index) & (rise > 0))
            chosen = list(self._of_other_examples(tokens[np.argsort(-rise[tokens], kind="stable")], most))
            found |= {role: chosen} if chosen else {}
        return found

    def _of_other_examples(self, tokens: NDArray[np.int64], most: int) -> Iterator[int]:
        seen: set[int] = set()
        for token in tokens:
            if len(seen) == most:
                return
            example = int(self.examples[token])
            if example not in seen:
                seen.add(example)
                yield int(token)


def _as_change(ratio: Interval | None) -> Interval | None:
    """1.1 as 10 percent."""
    return None if ratio is None else Interval(100 * (ratio.low - 1), 100 * (ratio.high - 1))
