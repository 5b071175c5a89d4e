"""Files, or stdin, -> the texts in them.

A file whose name ends in .jsonl holds one text in each line; any other file is one text. A line is either the text
itself, or a record that has the text in one of its fields: as a string, or as the JSON value itself.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from astudent.errors import RunError, UsageError
from astudent.roles import JsonSyntaxError, LimitError, Limits
from astudent.roles.scan import scan
from astudent.roles.value import Value

FIELDS = ("output", "raw_output", "completion", "response", "target_json", "ast_json", "text")
"""A record without a named field has its text in the first of these that it has."""
MAX_BYTES = 4 * Limits().characters  # of one text: no UTF-8 character is longer than 4


@dataclass(frozen=True, slots=True)
class Text:
    """One text, the file it stands in, its line (from 1; None: the whole file), and its record's `id`."""

    text: str
    file: str
    line: int | None = None
    id: str | int | None = None

    @property
    def where(self) -> str:
        """`FILE` or `FILE:LINE`."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read. `field`: a record's text, dots lead into it (`message.content`); None: found by the first line.

    `rows`: each line is itself the text. `jsonl`: True and False overrule the file's name.
    """

    field: str | None = None
    rows: bool = False
    jsonl: bool | None = None


def read_texts(files: Sequence[str], reading: Reading | None = None) -> Iterator[Text]:
    """The texts of all files in order; `-` or no file at all is stdin.

    RunError names file, line and field of what cannot be read; UsageError a file that is not there.
    """
    reading = reading or Reading()
    if reading.rows and reading.field:
        raise UsageError("a line is the text (--rows) or holds it (--field), not both", "Give one of them.")
    for name in files or ["-"]:
        if name == "-":
            yield from _texts(sys.stdin.buffer, "stdin", reading)
        else:
            with _opened(name) as file:
                yield from _texts(file, name, reading)


def _opened(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"{name}: {error.strerror}", "Name a file, or - for stdin.") from None


def _texts(file: BinaryIO, name: str, reading: Reading) -> Iterator[Text]:
    by_lines = name.endswith(".jsonl") if reading.jsonl is None else reading.jsonl
    if (not by_lines and not (reading.field or reading.rows)) or reading.jsonl is False:
        content = _decoded(file.read(MAX_BYTES + 1), name)
        yield Text(content, name)
        return
    field, is_first = reading.field, True
    for number, line in enumerate(iter(lambda: file.readline(MAX_BYTES + 1), b""), start=1):
        content = _decoded(line, f"{name}:{number}").strip("\r\n")
        if not content.strip():
            continue
        if is_first and field is None and not reading.rows:
            field = _known_field(content, name)
        is_first = False
        yield _record(content, name, number, field)


def _decoded(content: bytes, where: str) -> str:
    if len(content) > MAX_BYTES:
        raise LimitError(f"{where}: a text of more than {MAX_BYTES:,} bytes", "Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RunError(f"{where}: byte {error.start} is not UTF-8", "Save the file as UTF-8.") from None


def _known_field(line: str, name: str) -> str | None:
    """The field that holds the text, judged by the first line; said on stderr, since it is a guess."""
    root = scan(line, lenient=True).root
    members = root.data if root is not None and root.kind == "object" else {}
    field = next((each for each in FIELDS if each in members), None)
    if field is not None:
        print(f"{name}: taking each text from the field {field!r} (--rows: the line itself)", file=sys.stderr)
    return field


def _record(line: str, name: str, number: int, field: str | None) -> Text:
    if field is None:
        root = scan(line, lenient=True).root
        return Text(line, name, number, _id(root))
    try:
        root = scan(line).root
    except JsonSyntaxError as error:
        raise RunError(f"{name}:{number}: {error.message}", "Mend that line, or give --rows.") from None
    found = _member(root, field)
    if found is None:
        raise RunError(f"{name}:{number}:{field}: no such field", "Name another one with --field, or give --rows.")
    text = found.data if found.kind == "string" else line[found.start : found.end]
    return Text(text, name, number, _id(root))


def _member(root: Value | None, path: str) -> Value | None:
    """The value at a path such as `choices.0.message.content`; a name that has the dots in it comes first."""
    value = root
    if value is not None and value.kind == "object" and path in value.data:
        return value.data[path]
    for step in path.split("."):
        if value is not None and value.kind == "object":
            value = value.data.get(step)
        elif value is not None and value.kind == "array" and step.isdecimal() and int(step) < len(value.data):
            value = value.data[int(step)]
        else:
            return None
    return value


def _id(root: Value | None) -> str | int | None:
    found = root.data.get("id") if root is not None and root.kind == "object" else None
    return found.data if found is not None and isinstance(found.data, str | int) else None
