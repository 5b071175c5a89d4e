"""One DPO step's forward and backward with LoRA: .venv/bin/python benchmarks/dpo_step.py --json FILE

The peers are TRL's two ways: the reference computed at each step (its default), and computed once before.
"""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import measure
import torch
import torch.nn.functional as F
import typer
from measure import Case, Rival, Work, compare
from models import MODELS, device, make_pairs, student, with_adapter
from settings import DTYPES, Arrangement, arrangements
from torch import Tensor
from ways import packs, plain_attention, plain_batches, sequence_log_probabilities

from astudent.student.batching import TokenBatch, Unit
from astudent.student.loss import token_losses

BETA = 0.1
PAIRS_AT_ONCE = 2


@torch.no_grad()
def reference(model: Any, batch: TokenBatch) -> Tensor:
    """The base's log p of the batch's pairs (n, 2): the adapter starts as nothing, so the base is the reference."""
    with model.disable_adapter():
        return sequence_log_probabilities([token_losses(model, batch)], [batch])


def step(model: Any, batches: list[TokenBatch], pairs: int, known: Callable[[int, TokenBatch], Tensor]) -> float:
    """The mean sigmoid loss of all pairs, and its gradient; `known` gives a batch's reference."""
    model.zero_grad()
    total = 0.0
    for place, batch in enumerate(batches):
        ratio = sequence_log_probabilities([token_losses(model, batch)], [batch]) - known(place, batch)
        loss = -F.logsigmoid(BETA * (ratio[:, 0] - ratio[:, 1])).sum() / pairs
        loss.backward()
        total += loss.item()
    return total


def way(model: Any, batches: list[TokenBatch], pairs: int, *, packed: bool, precomputed: bool) -> Work:
    attention = nullcontext if packed else lambda: plain_attention(model)
    with attention():
        kept = [reference(model, batch) for batch in batches] if precomputed else []

    def run() -> float:
        with attention():
            return step(model, batches, pairs, lambda at, batch: kept[at] if kept else reference(model, batch))

    return Work(run, pairs)


def case(model: Any, name: str, asked: Arrangement) -> list[Case]:
    pairs: list[Unit] = list(make_pairs(asked, model.config.vocab_size))
    some = pairs[: asked.ordinary_rows]
    batches = plain_batches(some, 2 * PAIRS_AT_ONCE, device())
    said = f"padded pairs, {PAIRS_AT_ONCE} at a time, reference"
    return compare(
        f"DPO step, {name}, {asked}".replace("rows", "pairs"),
        way(model, packs(pairs, device()), len(pairs), packed=True, precomputed=True),
        [
            Rival("ordinary", f"{said} at each step", way(model, batches, len(some), packed=False, precomputed=False)),
            Rival("best_peer", f"{said} known before", way(model, batches, len(some), packed=False, precomputed=True)),
        ],
        asked.rounds,
        headline=asked.headline,
    )


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
) -> None:
    """A DPO step against TRL's two ways."""
    cases: list[Case] = []
    for name, build in MODELS.items():
        model = student(with_adapter(build(DTYPES[dtype]))).model.train()
        for asked in arrangements(name, per_step=16, share=4):
            cases += case(model, name, asked)
    measure.write(json_file, "dpo_step", DTYPES[dtype], cases)


if __name__ == "__main__":
    typer.run(main)
