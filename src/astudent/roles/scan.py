"""JSON text -> the grammar of each character and the tree of values with their positions (RFC 8259, nothing more).

Written here because the standard parser gives no positions, recurses, and takes NaN, which JSON does not have. One
pass, no recursion: time is linear in the text. Where roles alone are wanted, sound texts take the quicker way of
sound.py.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn

from astudent.errors import RunError
from astudent.roles.limits import LimitError, Limits
from astudent.roles.role import PRECEDENCE, ROLES, GrammarRole
from astudent.roles.sound import STRING_BODY
from astudent.roles.value import Value

_STRING = re.compile(f'"{STRING_BODY}"')
_NUMBER_TEXT = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_SOUND_STRING = re.compile(f'"{STRING_BODY}')
_SPACES = re.compile(r"[ \t\n\r]*+")
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_LONGEST_INTEGER = 400  # longer ones are beyond any float; Python's int() is quadratic and refuses 4,300 digits


def _code(role: GrammarRole) -> bytes:
    return bytes([PRECEDENCE[role]])


_NUMBER, _BOOLEAN, _STRUCTURAL = _code(GrammarRole.NUMBER), _code(GrammarRole.BOOLEAN), _code(GrammarRole.STRUCTURAL)
_QUOTE, _KEY, _FREE_TEXT = _code(GrammarRole.QUOTE), _code(GrammarRole.KEY), _code(GrammarRole.FREE_TEXT)
_UNKNOWN, _WHITESPACE = _code(GrammarRole.UNKNOWN), _code(GrammarRole.WHITESPACE)
_MARK = PRECEDENCE[GrammarRole.STRUCTURAL]

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

    @property
    def roles(self) -> list[GrammarRole]:
        """The same as roles."""
        return list(map(ROLES.__getitem__, self.codes))

    def paint(self, start: int, end: int, role: GrammarRole) -> None:
        """Gives the characters from `start` to `end` (excluded) a role."""
        self.codes[start:end] = _code(role) * (end - start)


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
        self.text, self.limits = text, limits
        self.codes = bytearray(_WHITESPACE) * len(text)  # whatever no token covers is white space
        self.expected: _Expected = "value"
        self.root: Value | None = None
        self.open: list[Value] = []
        self.names: list[str] = []  # of the member being read, one for each open object

    def run(self) -> None:
        text, at = self.text, 0
        while self.expected != "end":
            take = _TAKE.get(text[at]) if at < len(text) else None
            if take is None:
                self._stop(at)
            at = take(self, at)
        at = self._spaces(at)
        if at != len(text):
            self._stop(at)

    def _spaces(self, start: int) -> int:
        spaces = _SPACES.match(self.text, start)
        return spaces.end() if spaces else start

    def broken_off(self, start: int, error: JsonSyntaxError) -> Scan:
        """What was read before the fault; every character from `start` on is UNKNOWN."""
        self.codes[start:] = _UNKNOWN * (len(self.text) - start)
        for container in self.open:
            container.end = start
        return Scan(self.codes, self.root, error)

    # Each of the following takes the token that starts at `start`, and returns where it ends.

    def _string(self, start: int) -> int:
        token = _STRING.match(self.text, start)
        if token is None:
            self._stop(start)
        end = token.end()
        content = self.text[start + 1 : end - 1]
        if "\\" in content:
            content = json.loads(self.text[start:end])
        if self.expected in ("name", "name or }"):
            self.codes[start:end] = _QUOTE + _KEY * (end - start - 2) + _QUOTE
            self.names[-1] = content
            self.expected = ":"
        else:
            self._place(Value("string", start, end, content))
            self.codes[start:end] = _QUOTE + _FREE_TEXT * (end - start - 2) + _QUOTE
        return end

    def _number(self, start: int) -> int:
        token = _NUMBER_TEXT.match(self.text, start)
        if token is None:
            self._stop(start)
        digits, end = token.group(), token.end()
        whole = len(digits) <= _LONGEST_INTEGER and digits.lstrip("-").isdigit()
        self._place(Value("number", start, end, int(digits) if whole else float(digits)))
        self.codes[start:end] = _NUMBER * len(digits)
        return end

    def _word(self, start: int) -> int:
        word, data = _WORDS[self.text[start]]
        if not self.text.startswith(word, start):
            self._stop(start)
        end = start + len(word)
        self._place(Value("null" if data is None else "boolean", start, end, data))
        self.codes[start:end] = (_STRUCTURAL if data is None else _BOOLEAN) * len(word)
        return end

    def _object(self, start: int) -> int:
        self._enter(Value("object", start, start + 1, {}))
        self.names.append("")
        self.expected = "name or }"
        return start + 1

    def _array(self, start: int) -> int:
        self._enter(Value("array", start, start + 1, []))
        self.expected = "value or ]"
        return start + 1

    def _enter(self, container: Value) -> None:
        start = container.start
        self._place(container)
        if len(self.open) == self.limits.depth:
            raise _Fault(start, start, f"nesting is deeper than the limit of {self.limits.depth:,}")
        self.codes[start] = _MARK
        self.open.append(container)

    def _closing(self, start: int) -> int:
        if self.expected[-1] != self.text[start]:  # the closing mark that is expected ends the state's name
            self._stop(start)
        container = self.open.pop()
        container.end = start + 1
        if container.kind == "object":
            self.names.pop()
        self.codes[start] = _MARK
        self._expect_next()
        return start + 1

    def _colon(self, start: int) -> int:
        if self.expected != ":":
            self._stop(start)
        self.codes[start] = _MARK
        self.expected = "value"
        return start + 1

    def _comma(self, start: int) -> int:
        if self.expected[0] != ",":
            self._stop(start)
        self.codes[start] = _MARK
        self.expected = "name" if self.open[-1].kind == "object" else "value"
        return start + 1

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
                container.repeated = container.repeated or []
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


_TAKE: dict[str, Callable[[_Scanner, int], int]] = {
    '"': _Scanner._string,
    "{": _Scanner._object,
    "[": _Scanner._array,
    "}": _Scanner._closing,
    "]": _Scanner._closing,
    ":": _Scanner._colon,
    ",": _Scanner._comma,
    **dict.fromkeys("tfn", _Scanner._word),
    **dict.fromkeys("-0123456789", _Scanner._number),
    **dict.fromkeys(" \t\n\r", _Scanner._spaces),
}
"""Which token starts with a character."""
