"""Files -> records with the line they stand in: JSON lines, one JSON array, CSV, Parquet, each also as .gz.

What a file is, its name says (.csv, .parquet); else its first character: `[` begins an array. Reading never holds more
than one record and a buffer.
"""

import csv
import datetime
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from astudent.errors import RunError, UsageError
from astudent.importing.array_window import BUFFER, MAX_RECORD, ArrayWindow
from astudent.importing.scope import kind
from astudent.language.schema_limits import is_deeper
from astudent.language.serialise import MAX_DEPTH

BATCH = 64  # rows of a Parquet file that are held at once
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
        window = ArrayWindow(path, io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))
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
