"""Which checkpoint is kept, and when training stops early. Without torch: the stage asks before it loads anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from astudent.errors import UsageError
from astudent.settings import Training

METRICS = {
    "eval_loss": ("eval_loss", False),
    "semantic_pass": ("eval_semantic_pass_rate", True),
    "semantic_pass_rate": ("eval_semantic_pass_rate", True),
    "eval_semantic_pass_rate": ("eval_semantic_pass_rate", True),
}
"""`metric_for_best` -> the key in an evaluation line, and whether more is better."""


def refuse_unsupported(settings: Training) -> None:
    """UsageError for keys that name nothing, or that ask for what another key rules out."""
    if settings.metric_for_best not in METRICS:
        raise UsageError(f"metric_for_best: {settings.metric_for_best!r}", f"Take one of {', '.join(METRICS)}.")
    if "semantic" in settings.metric_for_best and settings.generation_eval_steps is None:
        hint = "Set training.generation_eval_steps."
        raise UsageError("metric_for_best follows answers, but none are generated", hint)


@dataclass
class Best:
    """Which evaluation was the best, and whether it is time to stop.

    An evaluation counts as an improvement when it beats the *reference value* by more than `min_delta`; only then does
    the reference move, so a slow creep does not keep a run alive. Equal values prefer the lower `eval_loss`.
    """

    metric: str
    greater: bool
    min_delta: float
    patience: int | None
    reference: float | None = None
    without_improvement: int = 0
    best: tuple[float, float] | None = None

    def see(self, metrics: dict[str, Any]) -> bool:
        """Takes an evaluation in; whether it is the best so far."""
        if metrics.get(self.metric) is None:
            return False
        value = metrics[self.metric] if self.greater else -metrics[self.metric]
        if self.reference is None or value > self.reference + self.min_delta:
            self.reference, self.without_improvement = value, 0
        else:
            self.without_improvement += 1
        candidate = (value, -metrics["eval_loss"])
        if self.best is not None and candidate <= self.best:
            return False
        self.best = candidate
        return True

    @property
    def should_stop(self) -> bool:
        return self.patience is not None and self.without_improvement >= self.patience

    def state(self) -> dict[str, Any]:
        return {"reference": self.reference, "without_improvement": self.without_improvement, "best": self.best}

    def restore(self, state: dict[str, Any]) -> None:
        self.reference, self.without_improvement = state["reference"], state["without_improvement"]
        self.best = tuple(state["best"]) if state["best"] else None
