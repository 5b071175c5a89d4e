"""JSON lines on disk: typed reading that names the bad line, appending that survives a kill, atomic writing."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Self

from pydantic import BaseModel, ValidationError

from astudent.errors import RunError

Row = BaseModel | dict[str, Any]


def line_of(row: Row) -> bytes:
    """One row as one UTF-8 line, newline included; characters are not escaped. ValueError for NaN in a dict."""
    if isinstance(row, BaseModel):
        return row.model_dump_json().encode() + b"\n"
    return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def read_rows[M: BaseModel](path: Path | str, model: type[M], *, repair: bool = False) -> Iterator[M]:
    """Yields each line of `path` as a `model`.

    A last line that a kill left half-written is skipped and said on stderr, and with `repair` also cut off the file.
    RunError names file, line and field of any other bad row, and a missing file.
    """
    for number, line in _whole_lines(Path(path), repair):
        try:
            yield model.model_validate_json(line)
        except ValidationError as error:
            raise RunError(*_bad_row(path, number, error)) from error


def read_objects(path: Path | str) -> Iterator[dict[str, Any]]:
    """Yields each line of `path` as a plain dict. RunError as in `read_rows`."""
    return (row for _, row in read_numbered(path))


def read_numbered(path: Path | str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields each line of `path` that is not blank as its number (from 1) and a plain dict. RunError as in `read_rows`."""
    for number, line in _whole_lines(Path(path), repair=False):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{path}:{number}: not JSON: {error}", "Mend or delete that line.") from error
        if not isinstance(row, dict):
            raise RunError(f"{path}:{number}: expected a JSON object, found {type(row).__name__}", "Mend that line.")
        yield number, row


def write_atomic(path: Path | str, content: Iterable[Row] | str) -> None:
    """Writes all rows (or the text) under a temporary name, then renames: readers see the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as out:
            if isinstance(content, str):
                out.write(content.encode())
            else:
                out.writelines(line_of(row) for row in content)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


class RowWriter:
    """Appends whole rows to a file, each in one write; a kill leaves at most one half line, mended at the next start.

    `sync_seconds` is the most that a power cut may lose: rows are fsynced when that long has passed since the last
    fsync (0: every row), and at close.
    """

    def __init__(self, path: Path | str, sync_seconds: float = 0.5) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._sync_seconds = sync_seconds
        self._last_sync = time.monotonic()
        cut_half_line(self.path)
        self._file: IO[bytes] = self.path.open("ab")

    def append(self, row: Row) -> None:
        """Writes the row; it is on the operating system's side when this returns."""
        self._file.write(line_of(row))
        self._file.flush()
        if time.monotonic() - self._last_sync >= self._sync_seconds:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._last_sync = time.monotonic()

    def close(self) -> None:
        """Flushes, fsyncs and closes; harmless when closed already."""
        if not self._file.closed:
            self._sync()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cut_half_line(path: Path) -> None:
    """Cuts a last line that is no whole JSON value off the file; gives a whole one that lacks it its newline."""
    tail_start, tail = _tail(path)
    if not tail:
        return
    with path.open("r+b") as file:
        if _is_json(tail):
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        else:
            file.truncate(tail_start)
        file.flush()
        os.fsync(file.fileno())


def sha256_of(path: Path | str) -> str:
    """SHA-256 of a file's bytes in hex; of a folder, over its files' relative names and hashes."""
    path = Path(path)
    if path.is_dir():
        lines = [f"{f.relative_to(path)} {sha256_of(f)}\n" for f in sorted(path.rglob("*")) if f.is_file()]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _whole_lines(path: Path, repair: bool) -> Iterator[tuple[int, bytes]]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise RunError(f"{path}: no such file", "Run the stage that writes it, or name another file.") from error
    half = False
    with file:
        for number, line in enumerate(file, start=1):
            half = not line.endswith(b"\n") and not _is_json(line)
            if half:
                print(f"warning: {path}:{number}: half-written last line left out", file=sys.stderr)
            elif line.strip():
                yield number, line
    if half and repair:
        cut_half_line(path)


def _tail(path: Path, block: int = 1 << 16) -> tuple[int, bytes]:
    """What follows the last newline of the file, and where it starts (bytes)."""
    if not path.exists():
        return 0, b""
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END)
        tail = b""
        while start > 0 and b"\n" not in tail:
            step = min(block, start)
            start = file.seek(start - step)
            tail = file.read(step) + tail
    cut = tail.rfind(b"\n") + 1
    return start + cut, tail[cut:]


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _bad_row(path: Path | str, number: int, error: ValidationError) -> tuple[str, str]:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    where = f"{path}:{number}" + (f":{field}" if field else "")
    more = f" (and {error.error_count() - 1} more problems in this line)" if error.error_count() > 1 else ""
    return f"{where}: {first['msg']}{more}", "Mend or delete that line, or make the file again with --fresh."


def _sync_folder(folder: Path) -> None:
    """Makes a rename durable; without it a power cut may bring the old name back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
