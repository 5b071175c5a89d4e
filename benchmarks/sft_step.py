"""One optimizer step's forward and backward with LoRA: .venv/bin/python benchmarks/sft_step.py --json FILE"""

from typing import Any

from command import benchmark
from models import student, with_adapter
from ways import ORDINARY, Losses, losses_case, ordinary_losses, supervised

from astudent.student.supervision import Encoded


def step(model: Any, losses: Losses, rows: list[Encoded]) -> float:
    """Forward and backward over all micro-batches; the mean loss of the rows' tokens."""
    model.zero_grad()
    total, count = 0.0, supervised(rows)
    for part in losses(model, rows):
        loss = part.sum() / count
        loss.backward()
        total += loss.item()
    return total


case = losses_case("SFT step", step, (ORDINARY, ordinary_losses))

if __name__ == "__main__":
    benchmark(
        "sft_step",
        "A supervised step against padded batches with all logits and with logits where supervised.",
        lambda model: student(with_adapter(model)).model.train(),
        case,
    )
