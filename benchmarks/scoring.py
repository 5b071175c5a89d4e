"""Log-probabilities of given answers: .venv/bin/python benchmarks/scoring.py --json FILE"""

from collections.abc import Iterator
from typing import Any

import torch
from command import benchmark
from measure import Case, Rival, Work, compare
from models import device, make_rows, student
from settings import Arrangement
from torch import Tensor
from ways import PEER, packed_losses, peer_losses, plain_attention

from astudent.student.batching import pad
from astudent.student.loss import losses_of_logits
from astudent.student.supervision import Encoded


def one_by_one(model: Any, rows: list[Encoded]) -> Iterator[Tensor]:
    """What a script writes that scores answers: one row at a time, all logits."""
    with plain_attention(model):
        for row in rows:
            yield losses_of_logits(model, pad([row], 0).to(device()))


def case(model: Any, name: str, asked: Arrangement) -> list[Case]:
    rows = make_rows(asked, model.config.vocab_size)
    few, some = rows[: asked.ordinary_rows], rows[: asked.peer_rows]

    def work(losses: Any, these: Any) -> Work:
        @torch.no_grad()
        def score() -> float:
            return sum(part.sum().item() for part in losses(model, these))

        return Work(score, len(these))

    rivals = [
        Rival("ordinary", "one row at a time, all logits", work(one_by_one, few)),
        Rival("best_peer", PEER, work(peer_losses, some)),
    ]
    return compare(
        f"scoring, {name}, {asked}", work(packed_losses, rows), rivals, asked.rounds, headline=asked.headline
    )


if __name__ == "__main__":
    benchmark(
        "scoring",
        "Scoring against one row at a time and against padded batches.",
        lambda model: student(model).model,
        case,
    )
