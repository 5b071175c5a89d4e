"""Texts with slots: how a document's values become an e-mail, a form, a receipt or a note.

A file of layouts opens with definitions, `name = one wording | another`, then holds its layouts, each below a line
`=== name`. A text may hold

    {path:filter}               a value; a definition `path.value` says what an enumerated value is called
    {@name} {~name}             a definition; an invented distractor (see `Draw.distractor`)
    {#} {.}                     the number of the item in a loop, counted from 1, and the item itself
    [this|that]                 one of several wordings
    [?path:yes|no] [?path=v:…]  whether a member is there (and not false), or has a value; `!path` turns it round
    [#path:one|many]            the number of a count or of an array's items, as the language counts
    [*path:item|, | and ]       the items of an array, what joins them, and what joins the last one

and a line may start with `~` (shuffled with the lines beside it that do, too), then `?path ` (left out where that fails),
then `*path ` (once for each item).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SLOT = re.compile(r"\{([@~]?)([a-z0-9_.#]+)(?::([a-z]+))?\}")
HEAD = re.compile(r"([?#*])(!?[a-z0-9_.]+(?:=\w+)?):")
LINE = re.compile(r"(~?)(?:\?(!?[a-z0-9_.]+(?:=\w+)?) )?(?:\*([a-z0-9_.]+) )?(.*)")


@dataclass(frozen=True)
class Slot:
    """`sign` is empty for a value, `@` for a definition, `~` for a distractor."""

    sign: str
    path: str
    filter: str


@dataclass(frozen=True)
class Bracket:
    """`sign` is empty for a choice, `?` for a condition, `#` for a number, `*` for a loop over `path`."""

    sign: str
    path: str
    options: "tuple[Text, ...]"


Text = tuple[str | Slot | Bracket, ...]


@dataclass(frozen=True)
class Line:
    """One line of a layout; `condition` and `loop` are paths, or empty."""

    shuffled: bool
    condition: str
    loop: str
    text: Text


@dataclass(frozen=True)
class Layouts:
    """The definitions and the layouts of one file, both by name."""

    definitions: dict[str, tuple[Text, ...]]
    layouts: dict[str, tuple[Line, ...]]


def parse_layouts(source: str, common: Mapping[str, tuple[Text, ...]]) -> Layouts:
    """Reads a file of layouts; `common` are definitions that it may use. ValueError where the file is not well formed."""
    head, *bodies = re.split(r"^=== ", source, flags=re.MULTILINE)
    layouts = dict(body.split("\n", 1) for body in bodies)
    return Layouts(
        {**common, **parse_definitions(head)},
        {name: tuple(_line(line) for line in body.strip().split("\n")) for name, body in layouts.items()},
    )


def parse_definitions(source: str) -> dict[str, tuple[Text, ...]]:
    """`name = one wording | another` in each line; blank lines and those that start with `#` say nothing."""
    entries = (line.split(" = ", 1) for line in source.splitlines() if line.strip() and not line.startswith("#"))
    return {name.strip(): _Reader(f"[{body}]").choice() for name, body in entries}


def _line(line: str) -> Line:
    found = LINE.fullmatch(line)
    assert found is not None  # the pattern matches any line
    shuffled, condition, loop, rest = found.groups()
    return Line(bool(shuffled), condition or "", loop or "", _Reader(rest).text(""))


class _Reader:
    """Reads a text from left to right; only files of this package are read, so nesting is not bounded."""

    def __init__(self, source: str) -> None:
        self._source, self._at = source, 0

    def choice(self) -> tuple[Text, ...]:
        """The wordings of a definition, without the blanks around them."""
        bracket = self._bracket()
        return tuple(_stripped(option) for option in bracket.options)

    def text(self, ends: str) -> Text:
        """What stands up to one of the characters `ends`, or to the end."""
        return tuple(self._parts(ends))

    def _parts(self, ends: str) -> Iterator[str | Slot | Bracket]:
        while self._at < len(self._source) and self._source[self._at] not in ends:
            if self._source[self._at] == "[":
                yield self._bracket()
            elif slot := SLOT.match(self._source, self._at):
                self._at = slot.end()
                yield Slot(slot[1], slot[2], slot[3] or "")
            else:
                yield self._literal(ends)

    def _literal(self, ends: str) -> str:
        start = self._at
        if self._source[start] in "{]":
            raise ValueError(f"stray {self._source[start]} in {self._source!r}")
        while self._at < len(self._source) and self._source[self._at] not in "{[]" + ends:
            self._at += 1
        return self._source[start : self._at]

    def _bracket(self) -> Bracket:
        self._at += 1
        head = HEAD.match(self._source, self._at)
        if head:
            self._at = head.end()
        options = [self.text("|]")]
        while self._at < len(self._source) and self._source[self._at] == "|":
            self._at += 1
            options.append(self.text("|]"))
        if self._at == len(self._source):
            raise ValueError(f"open [ in {self._source!r}")
        self._at += 1
        return Bracket(head[1] if head else "", head[2] if head else "", tuple(options))


def _stripped(text: Text) -> Text:
    parts = list(text)
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip(" ")
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip(" ")
    return tuple(part for part in parts if part != "")
