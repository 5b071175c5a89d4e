"""Files -> records with the line they stand in: JSON lines, one JSON array, CSV, Parquet, each also as .gz.

What a file is, its name says (.csv, .parquet); else its first character: `[` begins an array. Reading never holds more
than one record and a buffer.
"""

import csv
import datetime
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from astudent.errors import RunError, UsageError
from astudent.importing.scope import kind
from astudent.language.schema_limits import is_deeper
from astudent.language.serialise import MAX_DEPTH

MAX_RECORD = 16 << 20  # bytes of a line, characters of an array's item
BUFFER = 1 << 20
BATCH = 64  # rows of a Parquet file that are held at once
BLANK = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder()
Json = Any


@dataclass(frozen=True)
class Record:
    """One record: an object, or why there is none. `line` counts from 1; of CSV and Parquet it is the row's number."""

    file: str
    line: int
    content: dict[str, Json] | None
    reason: str = ""


def read_records(path: Path) -> Iterator[Record]:
    """Every record of the file. UsageError where it cannot be opened, RunError where it cannot be read on."""
    name = path.name.removesuffix(".gz")
    try:
        if name.endswith(".parquet"):
            yield from _parquet(path)
        elif name.endswith(".csv"):
            yield from _csv(path)
        else:
            yield from _array(path) if is_array(path) else _lines(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RunError(f"{path}: cannot be unpacked: {error}", "Fetch the file again.") from error


def whole_value(path: Path, most: int) -> Json:
    """The file as one JSON value of at most so many bytes. RunError where it is none."""
    with _opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise RunError(f"{path}: longer than {most:,} bytes", "Take out what is not needed.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: not JSON: {error}", "Mend the file.") from error


def is_array(path: Path) -> bool:
    """Whether the file's first character begins a JSON array."""
    with _opened(path) as file:
        return _first_character(file) == b"["


def _opened(path: Path) -> BinaryIO:
    try:
        return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", "Name a file that is there.") from error


def _first_character(file: BinaryIO) -> bytes:
    """The first that is not blank and no byte order mark; looks at the first 64 kB alone."""
    return file.read(1 << 16).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def _lines(path: Path) -> Iterator[Record]:
    with _opened(path) as file:
        number = 0
        while line := file.readline(MAX_RECORD + 1):
            number += 1
            if len(line) > MAX_RECORD:
                _skip_line(file, line)
                yield Record(str(path), number, None, f"longer than {MAX_RECORD:,} bytes")
            elif line.strip():
                yield _record(path, number, line)


def _skip_line(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(BUFFER)


def _record(path: Path, number: int, line: bytes) -> Record:
    try:
        return _checked(path, number, json.loads(line.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        return Record(str(path), number, None, f"byte {error.start} is not UTF-8")
    except (ValueError, RecursionError) as error:
        return Record(str(path), number, None, f"not JSON: {error}")


def _checked(path: Path, number: int, value: Json) -> Record:
    if not isinstance(value, dict):
        return Record(str(path), number, None, f"{kind(value)} where an object is needed")
    if is_deeper(value, MAX_DEPTH):
        return Record(str(path), number, None, f"nested deeper than {MAX_DEPTH} levels")
    return Record(str(path), number, value)


def _array(path: Path) -> Iterator[Record]:
    """The items of one array, each decoded as soon as it is whole."""
    with _opened(path) as file:
        window = _Window(path, io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))
        window.take("[")
        is_first = True
        while not window.takes("]"):
            if not is_first:
                window.take(",")
            is_first = False
            window.skip_blank()
            line = window.line
            yield _checked(path, line, window.item())
        window.end()


class _Window:
    """A part of a text that moves on; `line` is the line (from 1) that it begins in."""

    def __init__(self, path: Path, text: io.TextIOWrapper) -> None:
        self._path, self._text = path, text
        self._buffer, self._at = "", 0
        self.line = 1

    def skip_blank(self) -> None:
        while True:
            found = BLANK.match(self._buffer, self._at)
            self._advance(found.end() - self._at if found else 0)
            if self._at < len(self._buffer) or not self._more():
                return

    def takes(self, character: str) -> bool:
        self.skip_blank()
        found = self._buffer.startswith(character, self._at)
        if found:
            self._advance(1)
        return found

    def take(self, character: str) -> None:
        if not self.takes(character):
            self._fail(f"{character!r} expected")

    def end(self) -> None:
        self.skip_blank()
        if self._at < len(self._buffer):
            self._fail("more after the array's end")

    def item(self) -> Json:
        """The value that begins here. RunError where it is no JSON, or longer than MAX_RECORD."""
        while True:
            try:
                value, end = DECODER.raw_decode(self._buffer, self._at)
                length = end - self._at
                if end < len(self._buffer) or not self._more():  # a number at the end may go on
                    self._advance(length)
                    return value
            except RecursionError:
                self._fail("nested too deeply")
            except ValueError as error:
                if len(self._buffer) - self._at > MAX_RECORD:
                    self._fail(f"an item that is no JSON, or longer than {MAX_RECORD:,} characters")
                if not self._more():
                    self._fail(f"not JSON: {error}")

    def _advance(self, count: int) -> None:
        self.line += self._buffer.count("\n", self._at, self._at + count)
        self._at += count

    def _more(self) -> bool:
        """Reads on; twice as much each time that one item goes on, so that decoding it anew stays cheap."""
        held = self._buffer[self._at :]
        try:
            more = self._text.read(max(BUFFER, len(held)))
        except UnicodeDecodeError as error:
            self._fail(str(error))
        self._buffer, self._at = held + more, 0
        return bool(more)

    def _fail(self, what: str) -> NoReturn:
        raise RunError(f"{self._path}:{self.line}: {what}", "An array cannot be read on past that; mend the file.")


def _csv(path: Path) -> Iterator[Record]:
    csv.field_size_limit(MAX_RECORD)
    with _opened(path) as file:
        rows = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), strict=True)
        try:
            for number, row in enumerate(rows, start=1):
                is_whole = None not in row and None not in row.values()
                reason = "" if is_whole else "another number of cells than the first line has"
                yield Record(str(path), number, row if is_whole else None, reason)
        except (csv.Error, UnicodeDecodeError) as error:
            raise RunError(f"{path}: after row {rows.line_num}: {error}", "Mend the file.") from error


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    with _opened(path) as file:
        try:
            for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield _from_columns(path, number, row)
        except (pyarrow.ArrowException, OSError) as error:
            raise RunError(f"{path}: after row {number}: {str(error)[:200]}", "Name a Parquet file.") from error


def _from_columns(path: Path, number: int, row: dict[str, Any]) -> Record:
    """A row whose dates and times are ISO texts; one with another value that JSON has not is no record."""
    try:
        return _checked(path, number, json.loads(json.dumps(row, default=_iso)))
    except (TypeError, ValueError, RecursionError) as error:
        return Record(str(path), number, None, str(error))


def _iso(value: Any) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__}, which JSON does not have")
