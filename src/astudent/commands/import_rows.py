"""`astudent import`: rows of public data sets become rows that every command here takes."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def import_rows(
    mapping: Annotated[Path, typer.Option(metavar="FILE", help="What stands where: docs/import.md.")],
    files: Annotated[
        list[Path],
        typer.Option(
            "--in", metavar="FILE", help="JSON lines, a JSON array, CSV or Parquet; .gz too. May be repeated."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The data set, JSONL.")],
    more: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Further files for --in.")] = None,
    second: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME=FILE", help="The file of a lookup that the mapping names."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Name all that is rejected there, JSONL.")
    ] = None,
    allow_rejects: Annotated[bool, typer.Option("--allow-rejects", help="Write the others, and exit 0.")] = False,
    top: Annotated[int, typer.Option(min=0, help="Rejects that are printed.")] = 20,
) -> None:
    """Turn foreign rows into rows of schema, request and AST, as the gate and stage 07 take them.

    Every answer is checked under its schema. A record that cannot be mapped is named with its line and the reason; exit 1
    where there is one, and then nothing is written.
    """

    def action() -> None:
        from astudent.importing import run

        named = run.second_files(second or [])
        tally = run.import_rows(mapping, [*files, *(more or [])], out, named, rejects, allow_rejects, top)
        print(f"{out}: {tally}", flush=True)

    with_exit_code(action)
