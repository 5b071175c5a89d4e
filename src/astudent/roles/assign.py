"""JSON text + JSON Schema -> the grammar role of each character.

What needs no schema comes from the scan. The walks then find the strings that the schema enumerates at their path.
"""

import marshal
from functools import lru_cache
from typing import Any

from astudent.roles.limits import Limits
from astudent.roles.nodes import Schema
from astudent.roles.plain_walk import colour_plainly
from astudent.roles.references import SchemaError
from astudent.roles.role import GrammarRole
from astudent.roles.scan import Scan, scan
from astudent.roles.sound import read_sound
from astudent.roles.validity import Validity
from astudent.roles.walk import Walk


def assign_grammar_roles(json_text: str, schema: dict[str, Any] | bool, lenient: bool = False) -> list[GrammarRole]:
    """The role of each character of `json_text` (len(roles) == len(json_text)), by its path in the JSON Schema.

    The text need not be valid under the schema: where no branch of an anyOf is, the nearest one counts, and a string
    outside its enum is FREE_TEXT. Raises JsonSyntaxError with the position when the text is not JSON (`lenient`: the
    roles up to the fault, then UNKNOWN), SchemaError for a schema that cannot be read there, LimitError beyond the
    bounds. The last schemas are kept ready; with many of them, or other bounds, use RoleAssigner.
    """
    return _assigner_for(schema).roles(json_text, lenient)


class RoleAssigner:
    """A schema made ready once, for any number of texts. The schema must not change afterwards."""

    def __init__(self, schema: dict[str, Any] | bool, limits: Limits | None = None) -> None:
        if not isinstance(schema, dict | bool):
            raise SchemaError(f"a schema must be an object, true or false, not {type(schema).__name__}")
        self._schema, self._limits = Schema(schema), limits or Limits()

    def roles(self, json_text: str, lenient: bool = False) -> list[GrammarRole]:
        """One role per character; see `assign_grammar_roles`."""
        sound = read_sound(json_text, self._limits)
        if sound is None:
            return self.scan(json_text, lenient).roles
        left = colour_plainly(sound, self._schema.root)
        if left:
            Walk(sound.paint, Validity(self._limits)).colour(left)
        return sound.roles

    def scan(self, json_text: str, lenient: bool = False) -> Scan:
        """The same roles with the tree of values, each with its place, and the fault, if any."""
        scanned = scan(json_text, lenient, self._limits)
        if scanned.root is not None:
            Walk(scanned.paint, Validity(self._limits)).colour([(scanned.root, self._schema.root)])
        return scanned


_MOST_RECENT = 256
_RECENT: dict[int, tuple[Any, RoleAssigner]] = {}
"""A schema's `id` -> a copy of it as it was, and what was made ready from the copy."""


def _assigner_for(schema: dict[str, Any] | bool) -> RoleAssigner:
    """The prepared schema, found by its content: one that the caller has changed since is another schema."""
    copy, assigner = _RECENT.get(id(schema), (None, None))
    try:
        if assigner is not None and copy == schema:
            return assigner
        copy, assigner = _prepared(marshal.dumps(schema, 2))
    except (ValueError, RecursionError):  # no plain JSON types, or nested too deeply: prepared anew each time
        return RoleAssigner(schema)
    if len(_RECENT) >= _MOST_RECENT:
        del _RECENT[next(iter(_RECENT))]
    _RECENT[id(schema)] = (copy, assigner)
    return assigner


@lru_cache(maxsize=_MOST_RECENT)
def _prepared(content: bytes) -> tuple[Any, RoleAssigner]:
    copy = marshal.loads(content)
    return _strict(copy), RoleAssigner(copy)


class _Same:
    """Equal to a value of the same type alone: for Python 1 == True, for JSON Schema they are two."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self._value) and other == self._value

    __hash__ = None  # type: ignore[assignment]


def _strict(part: Any) -> Any:
    """A copy that equals a schema only where their numbers and truth values are of the same types."""
    if isinstance(part, dict):
        return {key: _strict(child) for key, child in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(map(_strict, part))
    return _Same(part) if isinstance(part, int | float) else part
