"""The rows that role losses are measured on: JSONL, or dicts -> prompts, targets and schemas, each checked.

A row has `prompt` and `target_json` (a text, or the JSON value itself), or it is one of the corpus, with `prompt` and
`completion`. Its schema is the one given for all rows, or stands in its `schema_json` (as JSON, or as text).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from astudent.errors import RunError, UsageError
from astudent.json_texts.schema_file import read_schema
from astudent.jsonl import read_numbered
from astudent.language.serialise import dumps
from astudent.roles.assign import assign_grammar_roles

Schema = dict[str, Any] | bool
Data = str | Path | Sequence[Mapping[str, Any]]
TARGETS = ("target_json", "completion")
"""The fields that hold what is scored; a row takes the first that it has."""


@dataclass(frozen=True)
class Example:
    """One row. `where` is FILE:LINE, or `row N` (from 1) of a sequence; examples of equal schemas have one `schema_id`.

    `is_chat`: the prompt becomes the user's turn of the base's chat template, and the end of the answer is scored too.
    """

    where: str
    prompt: str
    target: str
    schema_id: str
    schema: Schema
    is_chat: bool


@dataclass(frozen=True)
class Reading:
    """How rows are read. `schema`: a file's path or the schema, for all rows, whatever they carry themselves.

    `chat`: None for rows with `completion` alone. `lenient`: targets need not be JSON. `limit`: rows taken, the first.
    """

    schema: str | Path | Schema | None = None
    chat: bool | None = None
    lenient: bool = False
    limit: int | None = None


def read_examples(data: Data, reading: Reading) -> list[Example]:
    """The rows in order. UsageError for a file that is not there; RunError names row and field of what is wrong."""
    if isinstance(reading.schema, str | Path):
        common: Schema | None = read_schema(Path(reading.schema))
    else:
        common = reading.schema
    schemas: dict[str, tuple[str, Schema]] = {}
    examples = [
        _example(where, row, common, reading, schemas) for where, row in islice(_named_rows(data), reading.limit)
    ]
    if not examples:
        raise RunError(f"{name_of(data)}: there is no row to measure", "Give rows with prompt and target_json.")
    return examples


def name_of(data: Data) -> str:
    """What a report calls the data: the file's path, or how many rows were given."""
    return str(data) if isinstance(data, str | Path) else f"{len(data)} rows"


def _named_rows(data: Data) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(data, str | Path):
        yield from ((f"row {number}", row) for number, row in enumerate(data, start=1))
        return
    if not Path(data).is_file():
        raise UsageError(f"{data}: no such file", "Name a JSONL of prompt and target_json.")
    yield from ((f"{data}:{number}", row) for number, row in read_numbered(data))


def _example(
    where: str,
    row: Mapping[str, Any],
    common: Schema | None,
    reading: Reading,
    schemas: dict[str, tuple[str, Schema]],
) -> Example:
    field = next((name for name in TARGETS if row.get(name) is not None), None)
    if field is None:
        raise RunError(f"{where}: neither target_json nor completion", "Give the answer that is to be scored.")
    schema_id, schema = _schema(where, row, common, schemas)
    target = _target(where, field, row[field])
    try:
        assign_grammar_roles(target, schema, reading.lenient)
    except RunError as error:
        hint = error.hint or "Mend that row, or ask for lenient reading."
        raise RunError(f"{where}:{field}: {error.message}", hint) from error
    is_chat = field == "completion" if reading.chat is None else reading.chat
    return Example(where, _text(where, "prompt", row.get("prompt")), target, schema_id, schema, is_chat)


def _target(where: str, field: str, value: Any) -> str:
    if isinstance(value, str):
        return _text(where, field, value)
    try:
        return _text(where, field, dumps(value))
    except (ValueError, TypeError, RecursionError) as error:
        raise RunError(f"{where}:{field}: no JSON value: {error}", "Mend that row.") from error


def _text(where: str, field: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise RunError(f"{where}:{field}: expected a text that is not empty", "Mend that row.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RunError(f"{where}:{field}: half of a surrogate pair at character {error.start}", "Mend it.") from None
    return value


def _schema(
    where: str, row: Mapping[str, Any], common: Schema | None, schemas: dict[str, tuple[str, Schema]]
) -> tuple[str, Schema]:
    """(id, schema); equal schemas are one object, so that many rows hold little."""
    given = common if common is not None else row.get("schema_json")
    if given is None:
        raise RunError(f"{where}: no schema", "Name a schema for all rows, or give each its schema_json.")
    text = given if isinstance(given, str) else json.dumps(given)
    if text not in schemas:
        try:
            schema = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{where}:schema_json: not JSON: {error}", "Mend that row.") from error
        schemas[text] = (str(len(schemas)), schema)
    return schemas[text]
