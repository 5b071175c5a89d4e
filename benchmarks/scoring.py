"""Log-probabilities of given answers: .venv/bin/python benchmarks/scoring.py --json FILE"""

from itertools import batched
from pathlib import Path
from typing import Annotated, Any

import measure
import torch
import torch.nn.functional as F
import typer
from measure import Case, Rival, Work, compare
from models import MODELS, device, make_rows, padded, student
from settings import DTYPES, Arrangement, arrangements
from ways import PEER, packs, peer_losses, plain_attention

from astudent.student.loss import token_losses
from astudent.student.supervision import Encoded


@torch.no_grad()
def one_by_one(model: Any, rows: list[Encoded]) -> float:
    """What a script writes that scores answers: one row, all logits."""
    total = 0.0
    with plain_attention(model):
        for (row,) in batched(rows, 1):
            batch = padded([row])
            logits = model(**{name: batch[name] for name in ("input_ids", "attention_mask")}, use_cache=False).logits
            loss = F.cross_entropy(logits[0, :-1].float(), batch["labels"][0, 1:], ignore_index=-100, reduction="sum")
            total += loss.item()
    return total


@torch.no_grad()
def in_packs(model: Any, rows: list[Encoded]) -> float:
    return sum(token_losses(model, batch).sum().item() for batch in packs([(row,) for row in rows], device()))


@torch.no_grad()
def as_a_peer(model: Any, rows: list[Encoded]) -> float:
    return sum(losses.sum().item() for losses in peer_losses(model, rows, device()))


def case(model: Any, name: str, asked: Arrangement) -> list[Case]:
    rows = make_rows(asked, model.config.vocab_size)
    few, some = rows[: asked.ordinary_rows], rows[: asked.peer_rows]
    return compare(
        f"scoring, {name}, {asked}",
        Work(lambda: in_packs(model, rows), len(rows)),
        [
            Rival("ordinary", "one row at a time, all logits", Work(lambda: one_by_one(model, few), len(few))),
            Rival("best_peer", PEER, Work(lambda: as_a_peer(model, some), len(some))),
        ],
        asked.rounds,
        headline=asked.headline,
    )


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
) -> None:
    """Scoring against one row at a time and against padded batches."""
    cases: list[Case] = []
    for name, build in MODELS.items():
        model = student(build(DTYPES[dtype])).model
        for asked in arrangements(name, per_step=64, share=16):
            cases += case(model, name, asked)
    measure.write(json_file, "scoring", DTYPES[dtype], cases)


if __name__ == "__main__":
    typer.run(main)
