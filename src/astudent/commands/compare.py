"""`astudent compare`: evaluated runs on the same samples."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN_DIR", help="Folders of evaluations; two or more.")],
    reference: Annotated[
        Path | None, typer.Option(help="The run that the others are compared with; none: the first.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="Who was right: semantic_pass, equivalent, json_exact, exact_match, canonical_equal, schema_valid, parsed; "
            "none: semantic_pass where one judge read all runs, else equivalent."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Also by language, names, depth, conditions, construct, operator, 'field type', grade or trap. Repeatable."
        ),
    ] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write all figures as JSON; - is stdout.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the tables as one HTML page.")] = None,
    fail_when_worse: Annotated[
        bool, typer.Option("--fail-when-worse", help="Exit 1 when a run is worse than the reference on a split.")
    ] = False,
) -> None:
    """Compare evaluated runs on the samples that all of them answered, each with the first one.

    Rates with Wilson intervals; McNemar's exact p, adjusted by Holm where several runs are compared; a bootstrap over whole
    schemas; a verdict, and the smallest difference that the samples could have shown. docs/evaluation.md says how.
    """

    def action() -> None:
        from astudent.commands.compare_output import write_comparison
        from astudent.side_by_side.figures import figures
        from astudent.side_by_side.runs import read_runs

        first = (
            runs if reference is None else [reference, *(run for run in runs if run.resolve() != reference.resolve())]
        )
        found = figures(read_runs(first), metric, by or ())
        write_comparison(found, json, html, fail_when_worse)

    with_exit_code(action)
