"""The schemas of the rows: each is compiled once for all rows that carry it, as long as it is among the last used."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from astudent.errors import AstudentError
from astudent.language.splits import digest_of
from astudent.language.validation import Validator
from astudent.quality.renaming import Renaming

Json = Any
MAX_SCHEMAS = 4096
MAX_CHARACTERS = 12_000_000
"""Bounds on what is kept compiled, some 100 kB for a schema of 3,000 characters."""
MEMBER = '"schema_json":'


@dataclass(eq=False)
class RowSchema:
    """A schema with what the checks make of it, once. `broken` says why it cannot be used; then nothing else works.

    `key` (64 bits) is equal for schemas that differ in the order of their keys alone.
    """

    schema: dict[str, Any]
    characters: int
    broken: str | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> int:
        return key_of(json.dumps(self.schema, sort_keys=True, ensure_ascii=True))

    @cached_property
    def validator(self) -> Validator:
        return Validator(self.schema)

    @cached_property
    def renaming(self) -> Renaming:
        return Renaming(self.schema)

    def once[T](self, name: str, make: Callable[[dict[str, Any]], T]) -> T:
        """What a check of this name makes of the schema, kept beside it."""
        if name not in self.notes:
            self.notes[name] = make(self.schema)
        return self.notes[name]


def key_of(text: str) -> int:
    """64 bits that stand for a text in an index: two of a million texts agree by chance in 1 of 37 million cases."""
    return int.from_bytes(digest_of(text)[:8])


class SchemaShelf:
    """The schemas last used, by their text in the file. A line whose schema is known is parsed without it, which takes
    a tenth of the time."""

    def __init__(self) -> None:
        self._by_text: OrderedDict[str, RowSchema] = OrderedDict()
        self._characters = 0
        self._followers: OrderedDict[str, None] = OrderedDict()

    def known(self, line: str) -> tuple[str, str, RowSchema] | None:
        """(what stands before the schema, what stands after it, the schema) where the line has one that is known."""
        start = line.find(MEMBER) + len(MEMBER)
        if start < len(MEMBER) or line.count(MEMBER) > 1:
            return None
        start += line.startswith(" ", start)
        for follower in self._followers:
            end = line.find(follower, start)
            found = self._by_text.get(line[start:end]) if end > 0 else None
            if found is not None:
                self._by_text.move_to_end(line[start:end])
                return line[:start], line[end:], found
        return None

    def learn(self, line: str, schema: dict[str, Any]) -> RowSchema:
        """The row's schema, compiled; kept by its text where the line's text can be told."""
        start = line.find(MEMBER) + len(MEMBER)
        start += line.startswith(" ", start)
        text, follower = json.dumps(schema), None
        if start >= len(MEMBER) and line.count(MEMBER) == 1:
            end = json.JSONDecoder().raw_decode(line, start)[1]
            text, follower = line[start:end], line[end : end + 8]
        if follower:
            self._followers[follower] = None
            if len(self._followers) > 4:
                self._followers.popitem(last=False)
        return self._by_text.get(text) or self._keep(text, compiled(schema))

    def _keep(self, text: str, schema: RowSchema) -> RowSchema:
        self._by_text[text] = schema
        self._characters += len(text)
        while len(self._by_text) > MAX_SCHEMAS or (self._characters > MAX_CHARACTERS and len(self._by_text) > 1):
            self._characters -= len(self._by_text.popitem(last=False)[0])
        return schema


def compiled(schema: dict[str, Any]) -> RowSchema:
    """The schema, checked."""
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    made = RowSchema(schema, len(text))
    try:
        _ = made.validator, made.key
    except AstudentError as error:
        made.broken = error.message
    return made
