"""JSON text -> the grammar of each character and the tree of values with their positions (RFC 8259, nothing more).

Written here because the standard parser gives no positions, recurses, and takes NaN, which JSON does not have. One
pass, no recursion: time is linear in the text.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from astudent.errors import RunError
from astudent.roles.limits import LimitError, Limits
from astudent.roles.role import PRECEDENCE, ROLES, GrammarRole
from astudent.roles.value import Value

# Possessive quantifiers: the engine never goes back into a string, so a broken one costs its length once.
_STRING_BODY = r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+'
_TOKEN = re.compile(
    rf'[ \t\n\r]*+(?:(?P<string>"{_STRING_BODY}")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
    r"|(?P<word>true|false|null)|(?P<opening>[\[{])|(?P<closing>[\]}])|(?P<colon>:)|(?P<comma>,))"
)
_SOUND_STRING = re.compile(f'"{_STRING_BODY}')
_SPACES = re.compile(r"[ \t\n\r]*+")
_WORDS = {"true": True, "false": False, "null": None}
_LONGEST_INTEGER = 400  # longer ones are beyond any float; Python's int() is quadratic and refuses 4,300 digits

_NUMBER, _BOOLEAN, _FREE_TEXT, _KEY, _QUOTE, _STRUCTURAL, _UNKNOWN, _WHITESPACE = (
    PRECEDENCE[role] for role in ROLES if role not in (GrammarRole.ENUM_VALUE, GrammarRole.END)
)

_Expected = Literal["value", "value or ]", "name", "name or }", ":", ", or }", ", or ]", "end"]
_READABLE: dict[_Expected, str] = {
    "value": "a value",
    "value or ]": "a value or ']'",
    "name": "a name in double quotes",
    "name or }": "a name in double quotes or '}'",
    ":": "':'",
    ", or }": "',' or '}'",
    ", or ]": "',' or ']'",
    "end": "the end of the text",
}


class JsonSyntaxError(RunError):
    """The text is not JSON. `position`: the character (from 0) where it goes wrong; `line`, `column`: from 1."""

    def __init__(self, text: str, position: int, problem: str) -> None:
        self.position = position
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(f"not JSON: {problem} (line {self.line}, column {self.column}, character {position})")


class _Fault(Exception):
    """`start`: the first character that belongs to no sound token; `position`: the exact place of the fault."""

    def __init__(self, start: int, position: int, problem: str) -> None:
        super().__init__(problem)
        self.start, self.position, self.problem = start, position, problem


@dataclass(slots=True)
class Scan:
    """`codes`: one byte per character, an index into ROLES (strings are FREE_TEXT: the schema is not read here).

    `root` is None only in lenient mode, when the text ends or breaks before its first value.
    """

    codes: bytearray
    root: Value | None
    fault: JsonSyntaxError | None = None


def scan(text: str, lenient: bool = False, limits: Limits | None = None) -> Scan:
    """Scans one JSON text.

    Raises JsonSyntaxError when the text is not JSON; when `lenient`, everything from the token at fault on is UNKNOWN
    instead, and the values that are still open end there. Raises LimitError for a text that is too long or too deep
    (too deep counts as a fault when lenient).
    """
    limits = limits or Limits()
    if len(text) > limits.characters:
        raise LimitError(f"JSON text of {len(text):,} characters; the limit is {limits.characters:,}")
    scanner = _Scanner(text, limits)
    try:
        scanner.run()
    except _Fault as fault:
        error = JsonSyntaxError(text, fault.position, fault.problem)
        if not lenient:
            raise error from None
        return scanner.broken_off(fault.start, error)
    return Scan(scanner.codes, scanner.root)


class _Scanner:
    """A push-down automaton: `expected` is its state, `open` the containers that are not yet closed."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text, self.limits, self.at = text, limits, 0
        self.codes = bytearray([_WHITESPACE]) * len(text)  # whatever no token covers is white space
        self.expected: _Expected = "value"
        self.root: Value | None = None
        self.open: list[Value] = []
        self.names: list[str] = []  # of the member being read, one for each open object

    def run(self) -> None:
        take = {name: getattr(self, f"_{name}") for name in _TOKEN.groupindex}
        text, match = self.text, _TOKEN.match
        while self.expected != "end":
            token = match(text, self.at)
            if token is None:
                self._stop(self._after_spaces())
            group = token.lastgroup or ""  # every token has one
            start, end = token.span(group)
            take[group](start, end)
            self.at = end
        if (rest := self._after_spaces()) != len(text):
            self._stop(rest)

    def _after_spaces(self) -> int:
        spaces = _SPACES.match(self.text, self.at)
        return spaces.end() if spaces else self.at

    def broken_off(self, start: int, error: JsonSyntaxError) -> Scan:
        """What was read before the fault; every character from `start` on is UNKNOWN."""
        self.codes[start:] = bytes([_UNKNOWN]) * (len(self.text) - start)
        for container in self.open:
            container.end = start
        return Scan(self.codes, self.root, error)

    def _string(self, start: int, end: int) -> None:
        content = self.text[start + 1 : end - 1]
        if "\\" in content:
            content = json.loads(self.text[start:end])
        is_name = self.expected in ("name", "name or }")
        if not is_name:
            self._place(Value("string", start, end, content))
        self.codes[start] = self.codes[end - 1] = _QUOTE
        self.codes[start + 1 : end - 1] = bytes([_KEY if is_name else _FREE_TEXT]) * (end - start - 2)
        if is_name:
            self.names[-1] = content
            self.expected = ":"

    def _number(self, start: int, end: int) -> None:
        digits = self.text[start:end]
        whole = end - start <= _LONGEST_INTEGER and digits.lstrip("-").isdigit()
        self._place(Value("number", start, end, int(digits) if whole else float(digits)))
        self.codes[start:end] = bytes([_NUMBER]) * (end - start)

    def _word(self, start: int, end: int) -> None:
        data = _WORDS[self.text[start:end]]
        self._place(Value("null" if data is None else "boolean", start, end, data))
        self.codes[start:end] = bytes([_STRUCTURAL if data is None else _BOOLEAN]) * (end - start)

    def _opening(self, start: int, end: int) -> None:
        is_object = self.text[start] == "{"
        container = Value("object", start, end, {}) if is_object else Value("array", start, end, [])
        self._place(container)
        if len(self.open) == self.limits.depth:
            raise _Fault(start, start, f"nesting is deeper than the limit of {self.limits.depth:,}")
        self.codes[start] = _STRUCTURAL
        self.open.append(container)
        if is_object:
            self.names.append("")
        self.expected = "name or }" if is_object else "value or ]"

    def _closing(self, start: int, end: int) -> None:
        if not self.expected.endswith(f"or {self.text[start]}"):
            self._stop(start)
        container = self.open.pop()
        container.end = end
        if container.kind == "object":
            self.names.pop()
        self.codes[start] = _STRUCTURAL
        self._expect_next()

    def _colon(self, start: int, end: int) -> None:
        if self.expected != ":":
            self._stop(start)
        self.codes[start] = _STRUCTURAL
        self.expected = "value"

    def _comma(self, start: int, end: int) -> None:
        if not self.expected.startswith(","):
            self._stop(start)
        self.codes[start] = _STRUCTURAL
        self.expected = "name" if self.open[-1].kind == "object" else "value"

    def _place(self, value: Value) -> None:
        """Hangs the value into the container that is open, where a value is expected."""
        if not self.expected.startswith("value"):
            self._stop(value.start)
        if not self.open:
            self.root = value
        elif (container := self.open[-1]).kind == "array":
            container.data.append(value)
        else:
            name = self.names[-1]
            if name in container.data:
                container.repeated.append((name, container.data.pop(name)))
            container.data[name] = value
        self._expect_next()

    def _expect_next(self) -> None:
        if not self.open:
            self.expected = "end"
        else:
            self.expected = ", or }" if self.open[-1].kind == "object" else ", or ]"

    def _stop(self, at: int) -> NoReturn:
        """Raises the fault at the first character that cannot be: text[at], or one in the string that opens there."""
        text, expected = self.text, _READABLE[self.expected]
        if at == len(text):
            raise _Fault(at, at, f"the text ends where {expected} is expected")
        sound = _SOUND_STRING.match(text, at)
        position = sound.end() if sound else at
        if sound is None or text.startswith('"', position):
            raise _Fault(at, at, f"expected {expected}, found {text[at]!r}")
        if position == len(text):
            raise _Fault(at, position, f"the string opened at character {at} is not closed")
        what = "there is no such escape" if text[position] == "\\" else "a control character must be escaped"
        raise _Fault(at, position, f"{what} in the string opened at character {at}")
