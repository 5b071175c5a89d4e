"""A string as models write it -> a JSON string: other quotation marks, marks inside, raw control characters, no end.

Whether a mark closes its string is judged by what follows: a string is closed where its container could go on.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal

from astudent.json_texts.changes import ChangeList

CLOSING_OF = {"{": "}", "[": "]"}
_MARKS = {'"': '"', "'": "'", "“": '“”„"', "”": '“”"', "‘": "‘’'", "’": "‘’'", "`": "`´'"}
"""The mark that opens a string -> those that may close it."""
_NAME = r"""(?:"[^"\n]{0,100}"|'[^'\n]{0,100}'|“[^”\n]{0,100}”|[^\W\d][\w$-]{0,100})"""
NEXT_KEY = re.compile(rf"{_NAME}[ \t\n\r]*+:")
_BLANK = r"(?:[ \t\n\r]*+)"
COMMENT = r"(?:(?://|#[ \t#!])[^\n]{0,500}\n|/\*)"
"""What begins a comment; one that no line end closes would swallow all the rest."""
_AFTER_KEY = re.compile(rf"{_BLANK}(?:[:=]|\Z|[^\w\s'’.;!?)-])|\s++[\w\"'{{\[-]")
_NO_MEMBER = rf"""(?:"[^"\n]{{0,100}}(?:\Z|"{_BLANK}[,}}])|[\w$-]{{1,100}}{_BLANK}[,}}]|\.\.\.)"""
"""What stands like a name, but has no value: it closes the string before it, and is refused or left out there."""
_MEMBER = rf"""(?:{_NAME}|[\w$-]{{1,100}}"){_BLANK}:"""
_AFTER_MEMBER = re.compile(
    rf"{_BLANK}(?:[}}\]]|\Z|{COMMENT}|,{_BLANK}(?:{_MEMBER}|[}}\]]|\Z|{COMMENT}|{_NO_MEMBER})|;?{_BLANK}{_NAME}{_BLANK}:)"
)
_ITEM = rf"""(?:["'“‘{{\[\]]|-?[0-9]|true\b|false\b|null\b|True\b|False\b|None\b|\Z|{COMMENT})"""
_AFTER_ITEM = re.compile(
    rf"""{_BLANK}(?:[}}\]]|\Z|{COMMENT}|,{_BLANK}{_ITEM}|["'“][^"'“”\n]{{0,100}}["'”]{_BLANK}[,\]])"""
)
_LINE_ENDS = re.compile(rf",?[ \t]{{0,100}}\r?\n[ \t\n\r]{{0,200}}{_NAME}{_BLANK}:")
_QUOTED = r'[ \t]{0,100}"[^"\n]{1,100}"[ \t]{0,100}'
_MEMBER_BEGINS = re.compile(rf"[ \t}}\]]{{0,100}},{_QUOTED}:")
_ITEM_BEGINS = re.compile(rf""",(?:{_QUOTED}[,\]]|[ \t]{{0,100}}[{{\[][ \t]{{0,100}}")""")
_UNCLOSED_KEY = re.compile(r'"([\w $-]{1,100}):')
_PLAIN = re.compile(r"[^\"'“”„‘’`´\\\x00-\x1f,}\]\n]++")
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_HEX = re.compile(r"\\x([0-9a-fA-F]{2})")
_CLOSERS = re.compile(r"[\s`\]}]*+\Z")


@dataclass(frozen=True, slots=True)
class LooseString:
    """`text`: the JSON string, quotation marks included. `end`: where the text goes on. `is_cut`: its end is missing."""

    text: str
    end: int
    is_cut: bool = False


def read_string(
    text: str, start: int, place: Literal["key", "value"], open_brackets: str, changes: ChangeList
) -> LooseString | None:
    """The string that opens at text[start]; None where none does. `open_brackets`: the containers around it (`{[`).

    What had to be changed is added to `changes`; LimitError when that is too much.
    """
    if text[start] not in _MARKS:
        return None
    return _String(text, start, place, open_brackets, changes).read()


class _String:
    def __init__(
        self, text: str, start: int, place: Literal["key", "value"], open_brackets: str, changes: ChangeList
    ) -> None:
        self.text, self.start, self.at = text, start, start + 1
        self.marks = _MARKS[text[start]]
        in_object = open_brackets.endswith("{")
        self.follows = _AFTER_KEY if place == "key" else _AFTER_MEMBER if in_object else _AFTER_ITEM
        self.in_object, self.open_brackets = in_object and place == "value", open_brackets
        self.out = ['"']
        self.changes = changes
        self.noted = len(changes)

    def read(self) -> LooseString:
        if self.text[self.start] != '"':
            self._note("other quotation marks", self.start, self.text[self.start], '"')
        while self.at < len(self.text):
            plain = _PLAIN.match(self.text, self.at)
            if plain is not None:
                self.out.append(plain.group())
                self.at = plain.end()
            elif self._closes_at(self.at):
                return self._closed(self.at + 1)
            elif self.text[self.at] == '"' and (key := self._unclosed_key()) is not None:
                return key
            elif self._lost_its_end():
                self._note("closing quotation mark was missing", self.at, "", '"')
                return self._closed(self.at)
            else:
                self._special(self.text[self.at])
        return self._cut_off()

    def _note(self, what: str, position: int, before: str, after: str) -> None:
        self.changes.add(what, before, after, position)

    def _closed(self, end: int) -> LooseString:
        return LooseString("".join([*self.out, '"']), end)

    def _closes_at(self, at: int) -> bool:
        return self.text[at] in self.marks and self.follows.match(self.text, at + 1) is not None

    def _unclosed_key(self) -> LooseString | None:
        """A name that goes up to its colon, where the mark before the colon is missing."""
        key = _UNCLOSED_KEY.match(self.text, self.start) if self.follows is _AFTER_KEY else None
        if key is None:
            return None
        del self.changes[self.noted :]
        self._note("closing quotation mark was missing", key.end() - 1, "", '"')
        return LooseString(f'"{key[1]}"', key.end() - 1)

    def _lost_its_end(self) -> bool:
        """Whether the closing mark is missing: from here on stands what follows a string, a member or an item."""
        character = self.text[self.at]
        if character not in ",}]\r\n" or self.follows is _AFTER_KEY:
            return False
        if character in ",\r\n" and self.in_object and _LINE_ENDS.match(self.text, self.at):
            return True
        begins = _ITEM_BEGINS if character == "," and not self.in_object else _MEMBER_BEGINS
        found = begins.match(self.text, self.at)
        return found is not None and not self._closes_at(self.text.index('"', self.at, found.end()))

    def _special(self, character: str) -> None:
        if character == "\\":
            self._backslash()
            return
        if character == '"':
            self._write("quotation mark inside a string", 1, '\\"')
        elif character < " ":
            self._write("control character inside a string", 1, json.dumps(character)[1:-1])
        else:
            self.out.append(character)
            self.at += 1

    def _write(self, what: str, length: int, after: str) -> None:
        self._note(what, self.at, self.text[self.at : self.at + length], after)
        self.out.append(after)
        self.at += length

    def _backslash(self) -> None:
        escape = _ESCAPE.match(self.text, self.at)
        if escape is not None:
            self.out.append(escape.group())
            self.at = escape.end()
        elif len(self.text) - self.at < 6 and re.fullmatch(r"\\(?:u[0-9a-fA-F]{0,3})?", self.text[self.at :]):
            self._write("the text ends within an escape: left out", len(self.text) - self.at, "")
        elif byte := _HEX.match(self.text, self.at):
            self._write("an escape that JSON does not have", 4, f"\\u00{byte[1]}")
        elif self.text.startswith("\\'", self.at):
            self._write("an escape that JSON does not have", 2, "'")
        else:
            self._write("a backslash that escapes nothing", 1, "\\\\")

    def _cut_off(self) -> LooseString:
        """No mark closes it: the text was cut off, or only the mark is missing before the brackets that close all."""
        if (key := self._unclosed_key()) is not None:
            return key
        closers = _CLOSERS.search(self.text, max(self.start + 1, len(self.text) - 200))
        found = "".join(closers.group().split()).strip("`") if closers else ""
        wanted = "".join(CLOSING_OF[bracket] for bracket in reversed(self.open_brackets))
        if closers is not None and found and found == wanted:
            return self._without(closers.start())
        self._note("the text ends within the string: closed", len(self.text), "", '"')
        return LooseString("".join([*self.out, '"']), len(self.text), is_cut=True)

    def _without(self, end: int) -> LooseString:
        """The string up to `end`, read again without what stands behind."""
        del self.changes[self.noted :]
        again = _String(self.text[:end], self.start, "value", "", self.changes)
        again.follows = _NOTHING
        string = again.read()
        self.changes.pop()  # "the text ends": it ends here for that reading only
        self._note("closing quotation mark was missing", end, "", '"')
        return LooseString(string.text, end)


_NOTHING = re.compile(r"(?!)")
