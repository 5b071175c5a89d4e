"""`astudent gate`: the quality gate on any rows of schema, request and AST; it can stand in CI."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def gate(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="JSONL of schema_json, query, ast_json; optional split, schema_id, id, language, is_valid."
        ),
    ],
    schema: Annotated[Path | None, typer.Option(help="JSON Schema of the rows that carry none.")] = None,
    split_by_file: Annotated[
        bool,
        typer.Option(
            "--split-by-file", help="Each file is the split that its name tells, whatever its rows say of theirs."
        ),
    ] = False,
    grounded: Annotated[
        bool, typer.Option("--grounded", help="The values must stand in the text (extraction tasks).")
    ] = False,
    apart: Annotated[
        bool, typer.Option("--apart", help="No request and no AST may occur in two of train, align, val, test.")
    ] = False,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="What a row may be long; judged by its characters.")
    ] = None,
    near_duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Least likeness of near-duplicates (Jaccard of runs of three words).")
    ] = 0.9,
    top: Annotated[int, typer.Option(min=0, help="Violations, and suspicions, that are printed.")] = 20,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report as JSON; - is stdout.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML page.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print neither progress nor the table.")] = False,
) -> None:
    """Check rows before anything is trained on them or measured by them.

    Rows without a split take it from their file's name where it tells one (orders.train.jsonl). Exit 1 on violations;
    suspicions fail nothing. docs/gate.md says what each kind is.
    """

    def action() -> None:
        from astudent.commands.gate_output import write_verdict
        from astudent.json_texts.schema_file import read_schema
        from astudent.quality.check import GateOptions
        from astudent.quality.gate import run_gate

        options = GateOptions(
            near_duplicate_similarity=near_duplicates,
            schema=read_schema(schema),
            split_by_file=split_by_file,
            grounded=grounded,
            apart=apart,
            max_tokens=max_tokens,
        )
        report = run_gate(files, options, quiet=quiet or json == "-")
        write_verdict(report, json, html, 0 if quiet else top)

    with_exit_code(action)
