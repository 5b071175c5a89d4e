"""`astudent extract`, `validate`, `repair`, `anatomy`, `diff`: JSON texts in files or stdin, without a model."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from astudent.cli import with_exit_code

Files = Annotated[
    list[str] | None,
    typer.Argument(help="A .jsonl has one text in each line, any other file is one text; - or none: stdin."),
]
Field = Annotated[str | None, typer.Option(help="The field of each line that holds the text; dots lead into it.")]
Rows = Annotated[bool, typer.Option("--rows", help="Each line is itself the text.")]
Jsonl = Annotated[
    bool | None, typer.Option("--jsonl/--whole", help="One text in each line, or in each file, whatever its name.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object for each text on stdout.")]
OptionalSchema = Annotated[Path | None, typer.Option(help="JSON Schema of the values.")]


def extract(
    files: Files = None,
    pick: Annotated[
        Literal["all", "first", "last", "longest"], typer.Option(help="Which sound values of each text.")
    ] = "all",
    field: Field = None,
    rows: Rows = False,
    jsonl: Jsonl = None,
    json: Json = False,
) -> None:
    """Take the JSON values out of messy text; each on one line.

    Exit 1 where a text has no sound value, or ends within one.
    """

    def action() -> None:
        from astudent.commands.json_output import print_extracted
        from astudent.json_texts.source import Reading, read_texts

        print_extracted(read_texts(files or [], Reading(field, rows, jsonl)), pick, json)

    with_exit_code(action)


def validate(
    files: Files = None,
    schema: OptionalSchema = None,
    field: Field = None,
    rows: Rows = False,
    jsonl: Jsonl = None,
    json: Json = False,
) -> None:
    """Check that each text is JSON, repeats no name, and is valid under the schema.

    Exit 1 where one is not.
    """

    def action() -> None:
        from astudent.commands.json_output import print_verdicts
        from astudent.json_texts.source import Reading, read_texts

        print_verdicts(read_texts(files or [], Reading(field, rows, jsonl)), schema, json)

    with_exit_code(action)


def repair(
    files: Files = None,
    schema: OptionalSchema = None,
    field: Field = None,
    rows: Rows = False,
    jsonl: Jsonl = None,
    json: Json = False,
) -> None:
    """Make sound JSON of broken JSON; what was changed goes to stderr. Sound JSON stays as it is.

    With a schema, values that allow one reading are mended too ("Open" for "open", "3" for 3). Exit 1 where a text cannot
    be repaired, or the schema still objects.
    """

    def action() -> None:
        from astudent.commands.json_output import print_repaired
        from astudent.json_texts.source import Reading, read_texts

        print_repaired(read_texts(files or [], Reading(field, rows, jsonl)), schema, json)

    with_exit_code(action)


def anatomy(
    files: Files = None,
    schema: OptionalSchema = None,
    lenient: Annotated[bool, typer.Option("--lenient", help="Show what is not JSON as UNKNOWN.")] = False,
    field: Field = None,
    rows: Rows = False,
    jsonl: Jsonl = None,
    json: Json = False,
) -> None:
    """Show each text by the grammar roles of its characters: in colours, or with a letter below each character.

    Letters: s structure, q quotation mark, K key, E enumerated, B boolean, N number, F free text, _ blank, ? no JSON.
    """

    def action() -> None:
        from astudent.commands.json_output import print_anatomy
        from astudent.json_texts.source import Reading, read_texts

        print_anatomy(read_texts(files or [], Reading(field, rows, jsonl)), schema, lenient, json)

    with_exit_code(action)


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The one set of texts, a file as above.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    schema: OptionalSchema = None,
    examples: Annotated[int, typer.Option(min=0, help="Examples of changes for each path.")] = 3,
    top: Annotated[int, typer.Option(min=0, help="Paths that are listed, the most changed first; 0: all.")] = 20,
    fail_above: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit 1 when more than this share of a role's values differs.")
    ] = None,
    field: Field = None,
    rows: Rows = False,
    jsonl: Jsonl = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Compare two sets of texts by grammar role and by path, aligned by their `id`, else by their order."""

    def action() -> None:
        from astudent.commands.diff_output import print_difference
        from astudent.json_texts.source import Reading, read_texts

        one, other = (list(read_texts([name], Reading(field, rows, jsonl))) for name in (a, b))
        print_difference(one, other, schema, examples, top, fail_above, json)

    with_exit_code(action)
