"""A JSON array that is read item by item, whatever its length."""

import io
import json
import re
from pathlib import Path
from typing import Any, NoReturn

from astudent.errors import RunError

MAX_RECORD = 16 << 20  # bytes of a line, characters of an array's item
BUFFER = 1 << 20  # characters that are read at once
BLANK = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder()
Json = Any


class ArrayWindow:
    """A part of a text that moves on; `line` is the line (from 1) that it begins in."""

    def __init__(self, path: Path, text: io.TextIOWrapper) -> None:
        self._path, self._text = path, text
        self._buffer, self._at = "", 0
        self.line = 1

    def skip_blank(self) -> None:
        """Moves on to the next character that is not blank."""
        while True:
            found = BLANK.match(self._buffer, self._at)
            self._advance(found.end() - self._at if found else 0)
            if self._at < len(self._buffer) or not self._more():
                return

    def takes(self, character: str) -> bool:
        """Moves past the character, where it comes next."""
        self.skip_blank()
        found = self._buffer.startswith(character, self._at)
        if found:
            self._advance(1)
        return found

    def take(self, character: str) -> None:
        """Moves past the character. RunError where another one comes next."""
        if not self.takes(character):
            self._fail(f"{character!r} expected")

    def end(self) -> None:
        """RunError where something comes after the array."""
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
