"""The loss of a role before and after fine-tuning, and what counts as a regression."""

from dataclasses import dataclass
from typing import Any, Literal

from astudent.evaluation.statistics import Interval
from astudent.roles.regression import is_change
from astudent.roles.role import GrammarRole

Status = Literal["improved", "unchanged", "regressed", "baseline"]


@dataclass(frozen=True)
class RoleComparison:
    """A role's tokens, and the sums of their losses in nats (fine-tuned: None without a checkpoint).

    `interval_pct` is the 95% interval of `change_pct`, in percent, from a paired bootstrap over examples; None where
    fewer than two examples have the role. `role` is "TOTAL" for all tokens together.
    """

    role: GrammarRole | Literal["TOTAL"]
    tokens: int
    baseline_sum: float
    finetuned_sum: float | None
    interval_pct: Interval | None
    threshold: float

    @property
    def baseline_loss(self) -> float:
        """Nats per token."""
        return self.baseline_sum / self.tokens

    @property
    def finetuned_loss(self) -> float | None:
        """Nats per token."""
        return None if self.finetuned_sum is None else self.finetuned_sum / self.tokens

    @property
    def change_pct(self) -> float | None:
        """Percent by which the loss changed, negative where it fell; None without a checkpoint, or from a loss of 0."""
        if self.finetuned_sum is None or self.baseline_sum == 0:
            return None
        return 100 * (self.finetuned_sum / self.baseline_sum - 1)

    @property
    def status(self) -> Status:
        """By the threshold and LEAST_CHANGE together; `baseline` without a checkpoint."""
        before, after = self.baseline_loss, self.finetuned_loss
        if after is None:
            return "baseline"
        if not is_change(before, after, self.threshold):
            return "unchanged"
        return "improved" if after < before else "regressed"

    def as_json(self) -> dict[str, Any]:
        """Plain values; losses are in nats per token."""
        interval = self.interval_pct
        return {
            "role": str(self.role),
            "tokens": self.tokens,
            "baseline_loss": self.baseline_loss,
            "finetuned_loss": self.finetuned_loss,
            "change_pct": self.change_pct,
            "interval_pct": None if interval is None else [interval.low, interval.high],
            "status": self.status,
            "baseline_sum": self.baseline_sum,
            "finetuned_sum": self.finetuned_sum,
        }
