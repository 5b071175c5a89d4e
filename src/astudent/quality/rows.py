"""Lines of files -> rows that the checks can read. Whatever a line holds, it becomes a row or a violation."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from uuid import uuid4

from astudent.errors import UsageError
from astudent.language.schema_limits import is_deeper
from astudent.language.serialise import MAX_DEPTH
from astudent.quality.check import GateOptions, GateRow, Place
from astudent.quality.row_schema import RowSchema, SchemaShelf, compiled
from astudent.quality.splits import side_of, split_of_file
from astudent.quality.violations import Kind, Violation

MAX_LINE = 4 * 2**20
"""Bytes of one line; a longer one is a violation, and is not held in memory."""
TOKEN = uuid4().hex
"""Stands for a known schema while its line is parsed; nobody who wrote the file can know it."""
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
TEXTS = ("split", "language", "positive_id")
FIELDS = {"schema_json": (dict, "an object"), "query": (str, "a text"), "ast_json": (dict, "an object")}
Json = Any


def opened(file: str) -> BinaryIO:
    """The file's bytes. UsageError where it cannot be read."""
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "Name a JSONL file.") from None


@dataclass
class _RefusedError(Exception):
    kind: Kind
    found: str
    expected: str
    path: str = ""


class RowReader:
    """Reads files in order. `bytes_read` says how far it is."""

    def __init__(self, options: GateOptions) -> None:
        self._options = options
        self._shelf = SchemaShelf()
        self._given = None if options.schema is None else compiled(options.schema)
        self.bytes_read = 0
        self.rows = 0

    def read(self, files: list[str]) -> Iterator[GateRow | Violation]:
        """Every line that is not blank, as a row or as what is wrong with it. UsageError for a file that is not there."""
        for file in files:
            split = split_of_file(file, self._options.split_by_file)
            for line, content in self._lines(file):
                self.rows += 1
                place = Place(file, line)
                try:
                    fields = self._fields(content)
                    place = Place(file, line, _id(fields))
                    yield self._row(place, fields, split)
                except _RefusedError as error:
                    yield place.finding(error.kind, error.found, error.expected, error.path)

    def _lines(self, file: str) -> Iterator[tuple[int, bytes]]:
        with opened(file) as lines:
            number = 0
            while content := lines.readline(MAX_LINE + 1):
                number += 1
                self.bytes_read += len(content)
                if len(content) > MAX_LINE and not content.endswith(b"\n"):
                    self._skip_line(lines)
                if content.strip():
                    yield number, content

    def _skip_line(self, lines: BinaryIO) -> None:
        while rest := lines.readline(MAX_LINE):
            self.bytes_read += len(rest)
            if rest.endswith(b"\n"):
                return

    def _fields(self, content: bytes) -> dict[str, Json]:
        """The line's object; under `schema_json` the schema compiled, where it is an object."""
        if len(content) > MAX_LINE:
            raise _RefusedError("not_json", f"a line of more than {MAX_LINE:,} bytes", "a shorter one")
        try:
            line = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _RefusedError("not_json", f"byte {error.start} is not UTF-8", "UTF-8") from None
        known = self._shelf.known(line)
        if known is not None:
            fields = _parsed(f'{known[0]}"{TOKEN}"{known[1]}')
            if isinstance(fields, dict) and fields.get("schema_json") == TOKEN:
                return fields | {"schema_json": known[2]}
        fields = _parsed(line)
        if not isinstance(fields, dict):
            raise _RefusedError("not_json", f"{_kind(fields)} where a row is needed", "a JSON object")
        if isinstance(fields.get("schema_json"), dict):
            fields["schema_json"] = self._shelf.learn(line, fields["schema_json"])
        return fields

    def _row(self, place: Place, fields: dict[str, Json], split: str | None) -> GateRow:
        schema = self._schema(fields)
        for name, (kind, needed) in FIELDS.items():
            if name != "schema_json" and not isinstance(_needed(fields, name), kind):
                raise _RefusedError("wrong_type", _kind(fields[name]), needed, f"/{name}")
        for name in TEXTS:
            if not isinstance(fields.get(name), str | None):
                raise _RefusedError("wrong_type", _kind(fields[name]), "a text, or none", f"/{name}")
        is_valid = fields.get("is_valid")
        if not isinstance(is_valid, bool | None):
            raise _RefusedError("wrong_type", _kind(is_valid), "true, false or none", "/is_valid")
        if not fields["query"].strip():
            raise _RefusedError("wrong_type", "an empty text", "a request", "/query")
        if is_deeper(
            fields["ast_json"], MAX_DEPTH + 1
        ):  # no trainer could write it down again but at the risk of the stack
            raise _RefusedError("wrong_type", f"nested deeper than {MAX_DEPTH} levels", "a flatter AST", "/ast_json")
        split = split if self._options.split_by_file else fields.get("split") or split
        if schema.broken is not None:
            raise _RefusedError("broken_schema", schema.broken, "a JSON Schema 2020-12 that refers within itself only")
        positive = is_valid is not False
        return GateRow(
            number=self.rows - 1,
            place=place,
            schema=schema,
            query=fields["query"],
            ast=fields["ast_json"],
            split=split,
            side=side_of(split),
            language=fields.get("language"),
            is_valid=positive,
            positive_id=fields.get("positive_id"),
            is_sound=positive and schema.validator.is_valid(fields["ast_json"]),
        )

    def _schema(self, fields: dict[str, Json]) -> RowSchema:
        found = fields.get("schema_json")
        if found is None and self._given is not None:
            return self._given
        if isinstance(found, RowSchema):
            return found
        return self._no_schema(_needed(fields, "schema_json"))

    def _no_schema(self, found: Json) -> NoReturn:
        raise _RefusedError("wrong_type", _kind(found), FIELDS["schema_json"][1], "/schema_json")


def _parsed(line: str) -> Json:
    try:
        value = json.loads(line, parse_constant=_no_constant, parse_float=_finite)
        if SURROGATE.search(line):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError:
        raise _RefusedError("not_json", "half of a surrogate pair in a text", "whole characters") from None
    except RecursionError:
        raise _RefusedError("not_json", "nested too deeply", "at most some hundred levels") from None
    except ValueError as error:
        raise _RefusedError("not_json", str(error), "one JSON object in a line") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"number {digits[:20]} is too large")
    return number


def _needed(fields: dict[str, Json], name: str) -> Json:
    if name not in fields:
        raise _RefusedError("missing_field", f"no {name}", FIELDS[name][1], f"/{name}")
    return fields[name]


def _id(fields: dict[str, Json]) -> str:
    found = next((fields[name] for name in ("id", "query_id") if isinstance(fields.get(name), str | int)), "-")
    return str(found)


def _kind(value: Json) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "an array", dict: "an object"}
    return kinds.get(type(value), "null")
