"""Sound JSON text -> the grammar of each character and the tree of values, by the standard library's C parts.

The strings are split off by one regular expression, each value among them is replaced by its number, and the C parser
reads what is left: it checks the grammar and builds the tree. Whatever it refuses, and the few texts that it would read
otherwise than RFC 8259 or cannot read, are left to the scan that knows positions (scan.py); a test holds both equal.
"""

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NoReturn

from astudent.roles.limits import Limits
from astudent.roles.role import GrammarRole
from astudent.roles.value import Value, value_of

STRING_BODY = r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+'
"""Possessive: the engine never goes back into a string, so a broken one costs its length once."""

_PARTS = re.compile(f'"(?:({STRING_BODY})"|[\\s\\S]*)')
"""A string's inside is the group; a broken string takes all that follows, so that nobody looks for its end again."""
_WORD = re.compile("true|false|null")
_BLANK = " \t\n\r"
_LONG = 64  # characters; the roles of shorter strings are kept ready
_MANY = 1024
_NUMBERS = tuple(map(str, range(_MANY)))
_DEPTHS = {"{": 1, "[": 1, "}": -1, "]": -1}


def _quoted(role: GrammarRole, length: int) -> list[GrammarRole]:
    return [GrammarRole.QUOTE, *[role] * length, GrammarRole.QUOTE]


_NAMES = tuple(_quoted(GrammarRole.KEY, length) for length in range(_LONG))
_TEXTS = tuple(_quoted(GrammarRole.FREE_TEXT, length) for length in range(_LONG))
_ROLE_OF = {
    **dict.fromkeys("{}[]:,n", GrammarRole.STRUCTURAL),
    **dict.fromkeys("0123456789+-.eE", GrammarRole.NUMBER),
    **dict.fromkeys("tf", GrammarRole.BOOLEAN),
    **dict.fromkeys(_BLANK, GrammarRole.WHITESPACE),
}
_BETWEEN: dict[str, list[GrammarRole]] = {}
"""Roles of the texts between two strings, all digits as 0: `":"`, `","`, `:00,` and the like come again and again."""
_MOST_BETWEEN, _LONGEST_BETWEEN = 4096, 32
_SHAPE = str.maketrans("123456789", "000000000")


@dataclass(slots=True)
class Sound:
    """`roles`: one per character, where every string value is FREE_TEXT: the schema is not read here.

    `tree` is the parsed text, in which each string value is a number n (written as a string): its content is
    `contents[n]`, written as `written[n]` from text[starts[n]] on.
    """

    roles: list[GrammarRole]
    tree: Any
    contents: list[str]
    written: list[str]
    starts: list[int]

    def paint(self, start: int, end: int, role: GrammarRole) -> None:
        """Gives the characters from `start` to `end` (excluded) a role."""
        self.roles[start:end] = [role] * (end - start)

    def paint_string(self, number: int, role: GrammarRole) -> None:
        """Gives the inside of a string a role."""
        start = self.starts[number]
        self.paint(start, start + len(self.written[number]), role)

    def value(self, raw: Any) -> Value:
        """A part of `tree`, for those who need to know where its strings stand."""
        return value_of(raw, self._placed)

    def _placed(self, number: int) -> tuple[str, int, int]:
        start = self.starts[number]
        return self.contents[number], start - 1, start + len(self.written[number]) + 1


def read_sound(text: str, limits: Limits) -> Sound | None:
    """The text's roles and values, or None where it has to be read by position."""
    if len(text) > limits.characters:
        return None
    parts = _PARTS.split(text)
    if len(parts) > 1 and parts[-2] is None:
        return None
    roles = _between(parts[0]).copy()
    is_spaced = any(f'"{blank}' in text for blank in _BLANK)  # then a name's colon may stand behind blanks
    names: list[str] = []
    written: list[str] = []
    starts: list[int] = []
    between, index = _BETWEEN.get, 1
    for inside, after in zip(parts[1::2], parts[2::2], strict=True):
        size = len(inside)
        if after[:1] == ":" or (is_spaced and after.lstrip(_BLANK)[:1] == ":"):
            names.append(inside)
            roles += _NAMES[size] if size < _LONG else _quoted(GrammarRole.KEY, size)
        else:
            number = len(written)
            parts[index] = _NUMBERS[number] if number < _MANY else str(number)
            written.append(inside)
            starts.append(len(roles) + 1)
            roles += _TEXTS[size] if size < _LONG else _quoted(GrammarRole.FREE_TEXT, size)
        roles += between(after) or _between(after)
        index += 2
    unnamed = '"'.join(parts)
    if unnamed.count("[") + unnamed.count("{") > limits.depth and _depth(parts[::2]) > limits.depth:
        return None
    has_escapes = "\\" in text
    tree = _parsed(unnamed, is_wary=has_escapes or len(set(names)) < len(names))
    if tree is _UNSOUND:
        return None
    contents = [json.loads(f'"{inside}"') for inside in written] if has_escapes else written
    return Sound(roles, tree, contents, written, starts)


def _parsed(text: str, is_wary: bool) -> Any:
    """The text's value; _UNSOUND where it is no JSON, or (`is_wary`) an object of it repeats a name."""
    start = len(text) - len(text.lstrip(_BLANK))
    try:
        tree, end = (_WARY_DECODER if is_wary else _DECODER).scan_once(text, start)
    except (StopIteration, ValueError, RecursionError):
        return _UNSOUND
    return _UNSOUND if text[end:].strip(_BLANK) else tree


def _between(text: str) -> list[GrammarRole]:
    shape = text.translate(_SHAPE)
    roles = _BETWEEN.get(shape)
    if roles is None:
        letters = _WORD.sub(lambda word: word[0][0] * len(word[0]), shape)
        roles = [_ROLE_OF.get(letter, GrammarRole.UNKNOWN) for letter in letters]
        if len(text) <= _LONGEST_BETWEEN and len(_BETWEEN) < _MOST_BETWEEN:
            _BETWEEN[shape] = roles
    return roles


def _depth(between: list[str]) -> int:
    """The deepest nesting that the marks between the strings open."""
    return max(accumulate(_DEPTHS.get(mark, 0) for mark in "".join(between)))


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name is repeated: the parser would drop a member")
    return found


_UNSOUND = object()
_DECODER: Any = json.JSONDecoder(parse_constant=_refuse)
_WARY_DECODER: Any = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_without_repeats)
