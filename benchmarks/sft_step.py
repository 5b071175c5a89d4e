"""One optimizer step's forward and backward with LoRA: .venv/bin/python benchmarks/sft_step.py --json FILE"""

from pathlib import Path
from typing import Annotated, Any

import measure
import typer
from measure import Case, Rival, Work, compare
from models import MODELS, device, make_rows, student, with_adapter
from settings import DTYPES, Arrangement, arrangements
from ways import ORDINARY, PEER, ordinary_losses, packed_losses, peer_losses, step, supervised


def case(model: Any, name: str, asked: Arrangement) -> list[Case]:
    rows = make_rows(asked, model.config.vocab_size)
    few, some = rows[: asked.ordinary_rows], rows[: asked.peer_rows]
    place = device()
    return compare(
        f"SFT step, {name}, {asked}",
        Work(lambda: step(model, lambda: packed_losses(model, rows, place), supervised(rows)), len(rows)),
        [
            Rival(
                "ordinary",
                ORDINARY,
                Work(lambda: step(model, lambda: ordinary_losses(model, few), supervised(few)), len(few)),
            ),
            Rival(
                "best_peer",
                PEER,
                Work(lambda: step(model, lambda: peer_losses(model, some, place), supervised(some)), len(some)),
            ),
        ],
        asked.rounds,
        headline=asked.headline,
    )


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
) -> None:
    """A supervised step against padded batches with all logits and with logits where supervised."""
    cases: list[Case] = []
    for name, build in MODELS.items():
        model = student(with_adapter(build(DTYPES[dtype]))).model.train()
        for asked in arrangements(name, per_step=16, share=4):
            cases += case(model, name, asked)
    measure.write(json_file, "sft_step", DTYPES[dtype], cases)


if __name__ == "__main__":
    typer.run(main)
