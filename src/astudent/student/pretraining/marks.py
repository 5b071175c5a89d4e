"""Where a request says what its answer repeats: marks in both texts while they are composed, taken out again when they are done.

A mark is a private-use character. In the request it stands behind what tells something, or before what is copied letter by letter;
in the answer before the word that repeats it.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

Json = Any

NAME, FORM, TRUTH, WORD, SPELLED = "name", "form", "truth", "word", "spelled"
"""What a mark in a request stands behind: a field or a value; a relation, junction, way or measure; yes or no; a number in words. SPELLED stands
before what is copied letter by letter."""
REST = "rest"
"""Of a form too: how its word goes on after the first token, since ">" and ">=" begin alike."""
TOLD = (NAME, FORM, TRUTH, REST)
FIRST_MARK, LAST_MARK, BARE = 0xE000, 0xF8FE, "\uf8ff"
MARKED = re.compile(f"(\\s*)([{chr(FIRST_MARK)}-{chr(LAST_MARK)}])")
NOT_A_STRING = re.compile(f'"([{chr(FIRST_MARK)}-{chr(LAST_MARK)}]){BARE}([^"]*)"')


@dataclass(frozen=True)
class Source:
    """Where a request says something of a `kind`, in UTF-8 bytes: the text that tells it ends there, or begins there when it is SPELLED."""

    at: int
    kind: str


@dataclass(frozen=True)
class Example:
    """One request with its answer, serialised as completions are. Places are counted in UTF-8 bytes.

    `told` says what the request has told by a place: by kind (one of TOLD) the word that the schema has for it. `sources`
    says, where the answer repeats something, where the request says it.
    """

    query: str
    answer: str
    told: dict[int, dict[str, str]]
    sources: dict[int, Source]


def compact_json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Mark:
    """A mark's number and its place in UTF-8 bytes, `behind` and `before` the blanks that it follows."""

    number: int
    behind: int
    before: int


def without_marks(text: str) -> tuple[str, list[Mark]]:
    """The text, and what marks it had."""
    plain, found, done = "", [], 0
    for match in MARKED.finditer(text):
        plain += text[done : match.start()]
        at = len(plain.encode())
        found.append(Mark(ord(match[2]) - FIRST_MARK, at + len(match[1]), at))
        plain += match[1]
        done = match.end()
    return plain + text[done:], found


class Marks:
    """The marks of one request and its answer."""

    def __init__(self) -> None:
        self._meant: list[tuple[str, str]] = []

    def new(self, kind: str, word: str = "") -> str:
        """A mark of a `kind`; `word` is the schema's for what is said there."""
        self._meant.append((kind, word))
        return chr(FIRST_MARK + len(self._meant) - 1)

    def example(self, text: str, code: Json) -> Example:
        """The request and the answer without their marks, and what the marks told."""
        query, said = without_marks(text)
        answer, repeated = without_marks(NOT_A_STRING.sub(r"\1\2", compact_json(code)))
        told: dict[int, dict[str, str]] = {}
        sources: dict[int, Source] = {}
        for mark in said:
            kind, word = self._meant[mark.number]
            at = mark.behind if kind == SPELLED else mark.before
            sources[mark.number] = Source(at, kind)
            if kind in TOLD:
                told.setdefault(at, {})[kind] = word
            if kind == FORM:
                told[at][REST] = word
        return Example(query, answer, told, {mark.behind: sources[mark.number] for mark in repeated})
