"""Text that was meant to be JSON, from its opening bracket on -> JSON, as a list of edits.

A push-down automaton over the containers that are open. It copies what is JSON as it stands, and notes each departure
as a Change. Nothing is looked at further ahead than `LOOK` characters and white space, and nothing recurses.
"""

import re
from dataclasses import dataclass

from astudent.json_texts.changes import Change, ChangeList
from astudent.json_texts.loose_scalars import BARE, UNOPENED_KEY, WORD, read_scalar
from astudent.json_texts.loose_strings import CLOSING_OF, NEXT_KEY, LooseString, read_string
from astudent.roles import JsonSyntaxError, LimitError

MAX_DEPTH = 500
_SPACES = re.compile(r"[ \t\n\r]*+")
_ODD_SPACES = re.compile(r"[\s\u200b\ufeff]++")
_COMMENT = re.compile(r"(?://|#[ \t#!])[^\n]{0,500}(?=\n)|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)")


@dataclass(frozen=True, slots=True)
class Loose:
    """The value that was read from text[start:end], as JSON, with what had to be changed."""

    start: int
    end: int
    text: str
    changes: list[Change]


@dataclass(slots=True)
class _Open:
    """A container that is open. `wants`: what may come next; `member`: where in the output its last member begins."""

    bracket: str
    wants: str  # "first", "next" (after a comma), "colon", "value", "comma"
    member: int = 0
    comma: int | None = None  # where in the output its last comma is
    comma_at: int = 0  # and where in the text
    is_bare: bool = False  # its last value is a text without quotation marks: who knows where that ends


def read_loosely(text: str, start: int) -> Loose:
    """Reads the container that opens at text[start]. JsonSyntaxError (a RunError) at a fault that has several readings,
    LimitError beyond MAX_DEPTH open containers, or for too many changes."""
    reader = _Reader(text.rstrip("\r\n"), start)  # the end of a file's last line is no part of a string that was cut
    reader.run()
    return Loose(start, reader.at, "".join(reader.out), reader.changes)


class _Reader:
    def __init__(self, text: str, start: int) -> None:
        self.text, self.at = text, start
        self.out: list[str] = []
        self.changes = ChangeList()
        self.open: list[_Open] = []

    def run(self) -> None:
        self._enter(self.text[self.at])
        while self.open:
            self._blanks()
            if self.at >= len(self.text):
                self._end_of_text()
            elif self.open[-1].wants == "colon":
                self._colon()
            elif self.open[-1].wants == "comma":
                self._comma_or_closing()
            elif self.open[-1].bracket == "{" and self.open[-1].wants != "value":
                self._key()
            else:
                self._value()

    # what the text says, and what of it changes

    def _change(self, what: str, before: str, after: str) -> None:
        self.changes.add(what, before, after, self.at)

    def _replace(self, what: str, length: int, after: str) -> None:
        """Takes `length` characters of the text as `after`."""
        self._change(what, self.text[self.at : self.at + length], after)
        self._copy(length, after)

    def _copy(self, length: int, written: str | None = None) -> None:
        self.out.append(self.text[self.at : self.at + length] if written is None else written)
        self.at += length

    def _blanks(self) -> None:
        """White space as it stands; comments and blanks that JSON does not know taken out."""
        while True:
            spaces = _SPACES.match(self.text, self.at)
            if spaces and spaces.end() > self.at:
                self._copy(spaces.end() - self.at)
            elif odd := _ODD_SPACES.match(self.text, self.at):
                self._replace("a blank that JSON does not know", odd.end() - self.at, " ")
            elif comment := _COMMENT.match(self.text, self.at):
                self._replace("comment taken out", comment.end() - self.at, "")
            else:
                return

    def _refuse(self, problem: str) -> JsonSyntaxError:
        return JsonSyntaxError(self.text, min(self.at, len(self.text)), problem)

    # containers

    def _enter(self, bracket: str) -> None:
        if len(self.open) == MAX_DEPTH:
            raise LimitError(f"nesting is deeper than {MAX_DEPTH} at character {self.at:,}", "It is not repaired.")
        self._copy(1)
        self.open.append(_Open(bracket, "first", member=len(self.out)))

    def _leave(self) -> None:
        self.open.pop()
        if self.open:
            self.open[-1].wants = "comma"

    def _close(self, bracket: str) -> None:
        """Takes a closing bracket, whatever is open."""
        container = self.open[-1]
        fitting = CLOSING_OF[container.bracket]
        if bracket == fitting:
            self._drop_comma()
            self._copy(1)
        elif any(CLOSING_OF[outer.bracket] == bracket for outer in self.open):
            self._drop_comma()
            self._change("closing bracket was missing", "", fitting)
            self.out.append(fitting)
        else:
            self._drop_comma()
            self._replace("wrong closing bracket", 1, fitting)
        self._leave()

    def _drop_comma(self) -> None:
        container = self.open[-1]
        if container.wants == "next" and container.comma is not None:
            self.changes.add("trailing comma taken out", ",", "", container.comma_at)
            self.out[container.comma] = ""

    def _comma_or_closing(self) -> None:
        container, character = self.open[-1], self.text[self.at]
        if character in "]}":
            self._close(character)
        elif character in ",;":
            container.comma, container.comma_at = len(self.out), self.at
            if character == ",":
                self._copy(1)
            else:
                self._replace("';' for a comma", 1, ",")
            container.wants, container.is_bare = "next", False
        elif not container.is_bare and self._starts_next():
            self._change("comma was missing", "", ",")
            container.comma, container.wants = len(self.out), "next"
            self.out.append(",")
        else:
            raise self._refuse(f"expected ',' or '{CLOSING_OF[container.bracket]}', found {character!r}")

    def _starts_next(self) -> bool:
        if self.open[-1].bracket == "{":
            return NEXT_KEY.match(self.text, self.at) is not None
        return self.text[self.at] in "\"{['“‘-0123456789" or WORD.match(self.text, self.at) is not None

    def _end_of_text(self) -> None:
        """The text was cut off: what is whole stays, everything is closed."""
        container = self.open[-1]
        if container.wants in ("colon", "value") and container.bracket == "{":
            self._leave_out("the text ends within the member: left out")
        self._drop_comma()
        closing = CLOSING_OF[container.bracket]
        self._change("the text ends: closed", "", closing)
        self.out.append(closing)
        self._leave()

    def _leave_out(self, what: str) -> None:
        """Takes the member that has no value out of the output again, with the comma before it."""
        container = self.open[-1]
        start = container.member if container.comma is None else container.comma
        self._change(what, "".join(self.out[start:]), "")
        del self.out[start:]
        container.comma = None

    # members and values

    def _key(self) -> None:
        container, character = self.open[-1], self.text[self.at]
        if character in "]}":
            self._close(character)
            return
        if character == ",":
            self._replace("comma too many taken out", 1, "")
            return
        container.member = len(self.out)
        if (string := read_string(self.text, self.at, "key", self._brackets(), self.changes)) is not None:
            self._take_string(string)
            if string.is_cut:
                self.at = len(self.text)
        elif unopened := UNOPENED_KEY.match(self.text, self.at):
            name = unopened.group()
            self._replace("opening quotation mark was missing", len(name), f'"{name}')
        elif bare := BARE.match(self.text, self.at):
            name = bare.group().rstrip()
            self._replace("quotation marks were missing", len(name), f'"{name}"')
        else:
            raise self._refuse(f"expected a name, found {character!r}")
        container.wants = "colon"

    def _colon(self) -> None:
        character = self.text[self.at]
        if character == ":":
            self._copy(1)
        elif character == "=":
            self._replace("'=' for a colon", 2 if self.text.startswith("=>", self.at) else 1, ":")
        elif character in "\"'{[“‘-0123456789tfn":
            self._change("colon was missing", "", ":")
            self.out.append(":")
        else:
            raise self._refuse(f"expected ':', found {character!r}")
        self.open[-1].wants = "value"

    def _value(self) -> None:
        container, character = self.open[-1], self.text[self.at]
        if character in "{[":
            container.wants = "comma"
            self._enter(character)
        elif character in "]}" and container.wants == "value":
            self._leave_out("a member without a value: left out")
            container.wants = "comma"
        elif character in "]}":
            self._close(character)
        elif character == "," and container.wants != "value":
            self._replace("comma too many taken out", 1, "")
        elif (string := read_string(self.text, self.at, "value", self._brackets(), self.changes)) is not None:
            self._take_string(string)
            container.wants = "comma"
        else:
            self._scalar()

    def _scalar(self) -> None:
        scalar = read_scalar(self.text, self.at)
        if scalar.what:
            self._replace(scalar.what, scalar.length, scalar.text)
        else:
            self._copy(scalar.length)
        self.open[-1].is_bare = scalar.is_bare
        if scalar.text:  # none for a number that was cut off: its member has no value then
            self.open[-1].wants = "comma"

    def _brackets(self) -> str:
        """The containers that are open, the outermost first (the innermost 64)."""
        return "".join(container.bracket for container in self.open[-64:])

    def _take_string(self, string: LooseString) -> None:
        self.out.append(string.text)
        self.at = string.end
