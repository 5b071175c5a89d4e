"""`astudent forms`: rendered forms with their answers, as chat rows that a vision student learns and is asked."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def forms(
    out_dir: Annotated[Path, typer.Option(help="Folder of train.jsonl and test.jsonl.")] = Path("outputs/forms/data"),
    train: Annotated[int, typer.Option(min=1, help="Forms to learn from.")] = 800,
    test: Annotated[int, typer.Option(min=1, help="Held-out forms.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 11,
) -> None:
    """Draw filled-in forms (choices, counts, ticks; English and French) and write them as chat rows with inline images."""

    def action() -> None:
        from astudent.jsonl import write_atomic
        from astudent.tasks.forms import chat_rows

        for part, count in (("train", train), ("test", test)):
            path = out_dir / f"{part}.jsonl"
            write_atomic(path, chat_rows(count, seed, part))
            print(f"{path}: {count} forms", flush=True)

    with_exit_code(action)
