"""What was measured, and tokens that show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorstToken:
    """A token of a target, with what stands before and after it there; losses in nats."""

    where: str
    before: str
    token: str
    after: str
    baseline_loss: float
    finetuned_loss: float | None


@dataclass(frozen=True)
class Setup:
    """What was measured, and how: `baseline_by` and `finetuned_by` say whether packs or plain batches, and why."""

    model: str
    checkpoint: str | None
    data: str
    examples: int
    device: str
    dtype: str
    texts: str
    baseline_by: str
    finetuned_by: str | None
