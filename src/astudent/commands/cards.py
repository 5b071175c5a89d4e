"""`astudent leaderboard` and `astudent card`: pages filled from measured files."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def leaderboard(
    run: Annotated[list[Path], typer.Option(help="Folder of an evaluation. May be repeated.")],
    out: Annotated[Path, typer.Option(help="The page; its rows stand beside it, as .jsonl.")] = Path("LEADERBOARD.md"),
) -> None:
    """Add evaluated runs to the leaderboard. A run that is there already is not added again."""

    def action() -> None:
        from astudent.report.leaderboard import add_runs
        from astudent.report.measured import measured_run

        added = add_runs(out, [measured_run(folder) for folder in run])
        print(f"{out}: {len(added)} added, {len(run) - len(added)} there already", flush=True)

    with_exit_code(action)


def card(
    run: Annotated[
        list[Path],
        typer.Option(help="Folder of an adapter's evaluation (repeated: others beside it), or of a data set."),
    ],
    out: Annotated[Path, typer.Option(help="The page to write.")],
) -> None:
    """Write a model card, or a data set's card, in Hugging Face's form; it says which figure no file tells."""

    def action() -> None:
        from astudent.jsonl import write_atomic
        from astudent.report import cards

        write_atomic(out, cards.card(run, out.parent))
        print(f"wrote {out}", flush=True)

    with_exit_code(action)
