"""One DPO step's forward and backward with LoRA: .venv/bin/python benchmarks/dpo_step.py --json FILE

The peers are TRL's two ways: the reference computed at each step (its default), and computed once before.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from command import benchmark
from measure import Case, Rival, Work, compare
from models import make_pairs, student, with_adapter
from settings import Arrangement
from torch import Tensor
from ways import packs, pair_log_probabilities, plain_attention, plain_batches, trl_defaults

from astudent.student.batching import TokenBatch, Unit

BETA = 0.1
PAIRS_AT_ONCE = 2


@torch.no_grad()
def reference(model: Any, batch: TokenBatch) -> Tensor:
    """The base's log p of the batch's pairs (n, 2), without the adapter."""
    with model.disable_adapter():
        return pair_log_probabilities(model, batch)


def step(model: Any, batches: list[TokenBatch], pairs: int, known: Callable[[int, TokenBatch], Tensor]) -> float:
    """The mean sigmoid loss of all pairs, and its gradient; `known` gives a batch's reference."""
    model.zero_grad()
    total = 0.0
    for place, batch in enumerate(batches):
        ratio = pair_log_probabilities(model, batch) - known(place, batch)
        loss = -F.logsigmoid(BETA * (ratio[:, 0] - ratio[:, 1])).sum() / pairs
        loss.backward()
        total += loss.item()
    return total


def way(
    model: Any,
    batches: list[TokenBatch],
    pairs: int,
    mode: Callable[[Any], AbstractContextManager[None]],
    *,
    precomputed: bool,
) -> Work:
    """A step in the `mode` of one of the ways."""
    with mode(model):
        kept = [reference(model, batch) for batch in batches] if precomputed else []

    def run() -> float:
        with mode(model):
            return step(model, batches, pairs, lambda at, batch: kept[at] if kept else reference(model, batch))

    return Work(run, pairs)


def case(model: Any, name: str, asked: Arrangement) -> list[Case]:
    pairs: list[Unit] = list(make_pairs(asked, model.config.vocab_size))
    some = pairs[: asked.ordinary_rows]
    batches = plain_batches(some, 2 * PAIRS_AT_ONCE)
    said = f"padded pairs, {PAIRS_AT_ONCE} at a time, reference"
    return compare(
        f"DPO step, {name}, {asked}".replace("rows", "pairs"),
        way(model, packs(pairs), len(pairs), nullcontext, precomputed=True),
        [
            Rival(
                "ordinary",
                f"{said} at each step, gradient checkpointing",
                way(model, batches, len(some), trl_defaults, precomputed=False),
            ),
            Rival(
                "best_peer",
                f"{said} known before",
                way(model, batches, len(some), plain_attention, precomputed=True),
            ),
        ],
        asked.rounds,
        headline=asked.headline,
    )


if __name__ == "__main__":
    benchmark(
        "dpo_step",
        "A DPO step against TRL's two ways.",
        lambda model: student(with_adapter(model)).model.train(),
        case,
    )
