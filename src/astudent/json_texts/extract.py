"""Messy text -> the JSON values in it: prose around them, fences, thoughts with stray braces, answers that were cut off.

A value is looked for at each `{` or `[` that can open one, and the search goes on where it ends. Where it breaks, the
whole values inside it are kept, and the search goes on at the fault; or inside the string just before it, since a
quotation mark too many turns texts and strings round. So no character is read more than a few times.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from astudent.roles import GrammarRole, LimitError, Limits
from astudent.roles.role import PRECEDENCE
from astudent.roles.scan import Scan, scan
from astudent.roles.value import Value

State = Literal["sound", "broken", "cut"]

MAX_UNSOUND = 10_000
"""Broken values of one text; more of them are no answer but an attack on the time that looking takes."""
_OPENING = re.compile(
    r"""\{[ \t\n\r]*+(?:["'}“‘]|\w{1,60}+(?:[ ]?:|")|\Z)"""  # names without quotes: a broken value, not prose
    r"""|\[[ \t\n\r]*+(?:["'“‘{}\[\]0-9-]|(?:true|false|null|True|False|None)\b|(?:[tfn][a-z]{0,3})?\Z)"""
)
_CUT = re.compile(r"(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-|\.|[eE][+-]?|\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
_TAIL = 8  # characters; a token that the end of a window cut breaks at most so far before that end
_WINDOW = 128  # characters that the first look at a value takes; then eight times as many, as long as it goes on
_QUOTE, _STRUCTURAL = PRECEDENCE[GrammarRole.QUOTE], PRECEDENCE[GrammarRole.STRUCTURAL]
_SPACE, _UNKNOWN = PRECEDENCE[GrammarRole.WHITESPACE], PRECEDENCE[GrammarRole.UNKNOWN]
_PLACES = re.compile(r" opened at character \d+| \(line \d+, column \d+, character \d+\)$")
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(frozen=True, slots=True)
class Found:
    """A value at text[start:end] (characters). `broken` or `cut` (the text ends within it): `end` is where it breaks,
    `problem` says why. `inside`: it is a part of an unsound value."""

    start: int
    end: int
    text: str
    state: State
    problem: str = ""
    inside: bool = False


def extract(text: str) -> list[Found]:
    """All objects and arrays of `text` in order, each as large as it goes, the unsound ones before their sound parts.

    A text that is JSON from end to end is its one value, a scalar too. LimitError for a text that is too long or has
    more than MAX_UNSOUND broken values; nesting deeper than the limits is a broken value.
    """
    return list(values_in(text))


def values_in(text: str) -> Iterator[Found]:
    """The same one by one: what stands behind a value is not looked at before it is asked for."""
    limit = Limits().characters
    if len(text) > limit:
        raise LimitError(f"a text of {len(text):,} characters; the limit is {limit:,}", "Split it.")
    whole = scan(text, lenient=True)
    if whole.fault is None and whole.root is not None:
        yield _sound(text, whole.root.start, whole.root.end)
        return
    at = unsound = 0
    while (opening := _OPENING.search(text, at)) is not None:
        values, at = _values_at(text, opening.start())
        yield from values
        unsound += values[0].state != "sound"
        if unsound > MAX_UNSOUND:
            raise LimitError(f"more than {MAX_UNSOUND:,} broken values up to character {at:,}", "Split the text.")


def one_line(value: str) -> str:
    """Sound JSON without the white space between its tokens, otherwise as written; one line."""
    if not any(space in value for space in " \t\n\r"):
        return value
    codes = scan(value).codes
    return "".join(character for character, code in zip(value, codes, strict=True) if code != _SPACE)


def _sound(text: str, start: int, end: int, inside: bool = False) -> Found:
    return Found(start, end, text[start:end], "sound", inside=inside)


def _values_at(text: str, start: int) -> tuple[list[Found], int]:
    """The value that opens at `start`, with its sound parts where it is unsound; and where the search goes on."""
    size = _WINDOW
    while True:
        window = text[start : start + size]
        scanned = scan(window, lenient=True)
        root, fault = scanned.root, scanned.fault
        if root is not None and (fault is None or not _depth(window, scanned)):
            return [_sound(text, start, start + root.end)], start + root.end
        if fault is not None and (fault.position < len(window) - _TAIL or start + size >= len(text)):
            return _unsound(text, start, window, scanned)
        size *= 8


def _unsound(text: str, start: int, window: str, scanned: Scan) -> tuple[list[Found], int]:
    """The value that breaks, its sound parts, and where the search goes on."""
    assert scanned.fault is not None
    position = scanned.fault.position
    written = window.rstrip()
    is_cut = start + len(window) >= len(text) and (
        position >= len(written) or _CUT.match(written, position) is not None
    )
    end = len(text) if is_cut else start + position
    whole = Found(start, end, text[start:end], "cut" if is_cut else "broken", _problem(scanned))
    parts = [_sound(text, start + part.start, start + part.end, inside=True) for part in _parts(window, scanned)]
    turned = _turned_string(window, scanned)
    return [whole, *parts], max(start + 1, start + (position if turned is None else turned))


def _problem(scanned: Scan) -> str:
    """The scan's words without its places, which count from the start of the window."""
    assert scanned.fault is not None
    return _PLACES.sub("", scanned.fault.message.removeprefix("not JSON: "))


def _parts(window: str, scanned: Scan) -> list[Value]:
    """The closed containers that stand directly in those which the fault left open."""
    parts: list[Value] = []
    container = scanned.root
    for left_open in range(_depth(window, scanned), 0, -1):
        if container is None:
            break
        children = list(container.data.values() if container.kind == "object" else container.data)
        children += [child for _, child in container.repeated or ()]
        last = max(children, key=lambda child: child.start, default=None)
        parts += [child for child in children if child is not last or left_open == 1]
        container = last
    closed = [part for part in parts if part.kind in ("object", "array") and window[part.end - 1] in "}]"]
    return sorted(closed, key=lambda part: part.start)


def _depth(window: str, scanned: Scan) -> int:
    """How many containers are open where the scan ended."""
    codes = scanned.codes
    brackets = [found.group() for found in _BRACKET.finditer(window) if codes[found.start()] == _STRUCTURAL]
    return sum(1 if bracket in "[{" else -1 for bracket in brackets)


def _turned_string(window: str, scanned: Scan) -> int | None:
    """Where the last string before the fault begins, if it ends with an opening bracket: then its quotation marks are
    turned round, and a value may open in it."""
    assert scanned.fault is not None
    start = scanned.codes.find(_UNKNOWN)
    start, end = (len(window) if start < 0 else start), scanned.fault.position
    if end == start:  # the fault is no string: the token before it may be one
        end = len(window[:start].rstrip()) - 1
        start = scanned.codes.rfind(_QUOTE, 0, end) if end > 0 and scanned.codes[end] == _QUOTE else end
    return start + 1 if window[start + 1 : end].rstrip().endswith(("{", "[")) else None
