"""Log-probabilities of given answers: .venv/bin/python benchmarks/scoring.py --json FILE"""

from collections.abc import Iterator
from typing import Any

import torch
from command import benchmark
from models import device, student
from torch import Tensor
from ways import Losses, losses_case, plain_attention

from astudent.student.batching import pad
from astudent.student.loss import losses_of_logits
from astudent.student.supervision import Encoded


def one_by_one(model: Any, rows: list[Encoded]) -> Iterator[Tensor]:
    """What a script writes that scores answers: one row at a time, all logits."""
    with plain_attention(model):
        for row in rows:
            yield losses_of_logits(model, pad([row], 0).to(device()))


@torch.no_grad()
def score(model: Any, losses: Losses, rows: list[Encoded]) -> float:
    return sum(part.sum().item() for part in losses(model, rows))


case = losses_case("scoring", score, ("one row at a time, all logits", one_by_one))

if __name__ == "__main__":
    benchmark(
        "scoring",
        "Scoring against one row at a time and against padded batches.",
        lambda model: student(model).model,
        case,
    )
