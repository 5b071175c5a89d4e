"""Schemas and ASTs without their names: equal where one was made of the other by renaming fields consistently.

A name is that of a property, or a string among the values of `enum` or `const`: a query names its fields there. Every
name is replaced by its place in the schema. Where a renamed schema also changes the order of properties, these are
put in order by their own schemas; properties with equal schemas that changed places are not recognised.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from astudent.language.canonical import LIST_OPERATORS, TOP_KEYS, canonical_text
from astudent.language.splits import digest_of

Json = Any
KEPT = frozenset({*TOP_KEYS, *LIST_OPERATORS, "and", "or", "not", "field", "operator", "value", "function", "order"})
"""Words that the canonical form of a query goes by."""
ANNOTATIONS = frozenset({"title", "description", "$comment", "examples", "default", "$schema", "$id", "deprecated"})
NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
ALTERNATIVES = ("anyOf", "oneOf", "allOf")
SCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "prefixItems")


class Renaming:
    """The names of one checked schema, replaced by their places. `shape` is equal for schemas equal up to names."""

    def __init__(self, schema: dict[str, Json]) -> None:
        shapes = _Shapes()
        self.shape = shapes.of(schema)
        self.is_query = "where" in schema.get("properties", {})
        self._members = _placed(shapes.names(schema, texts=False), KEPT if self.is_query else ())
        self._texts = _placed(shapes.names(schema, texts=True), LIST_OPERATORS if self.is_query else ())

    def canonical_text(self, canonical_ast: Json) -> str:
        """An AST in canonical form as text, with the names replaced and its parts in the order that this gives."""
        renamed = self._renamed(canonical_ast)
        return canonical_text(renamed) if self.is_query else json.dumps(renamed, sort_keys=True)

    def _renamed(self, value: Json) -> Json:
        if isinstance(value, dict):
            return {self._members.get(key, key): self._renamed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._renamed(item) for item in value]
        return self._texts.get(value, value) if isinstance(value, str) else value


def _placed(names: Iterator[str], kept: Collection[str]) -> dict[str, str]:
    """What stands for each name that is not kept: its place among them."""
    different = dict.fromkeys(name for name in names if name not in kept)
    return {name: f"\N{REPLACEMENT CHARACTER}{place}" for place, name in enumerate(different)}


class _Shapes:
    """What is left of schemas without names and annotations, each as a short digest, computed once for each object."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, node: Json) -> str:
        if not isinstance(node, dict):
            return json.dumps(node)
        if id(node) not in self._known:
            text = json.dumps(sorted([key, self._member(key, value, node)] for key, value in _kept(node)))
            self._known[id(node)] = digest_of(text).hex()[:16]
        return self._known[id(node)]

    def _member(self, key: str, value: Json, node: dict[str, Json]) -> Json:
        if key in NAMED and isinstance(value, dict):
            needed = node.get("required", ()) if key == "properties" else ()
            return sorted(self.of(inner) + "!" * (name in needed) for name, inner in value.items())
        if key in ALTERNATIVES and isinstance(value, list):
            return sorted(map(self.of, value))
        if key in ("enum", "const"):
            values = value if key == "enum" and isinstance(value, list) else [value]
            return sorted("" if isinstance(item, str) else json.dumps(item, sort_keys=True) for item in values)
        if key in ("$ref", "required"):
            return len(value) if isinstance(value, list) else ""
        return [self.of(item) for item in value] if isinstance(value, list) else self.of(value)

    def names(self, node: Json, *, texts: bool) -> Iterator[str]:
        """The properties (or the texts of `enum` and `const`) in the order of the schema, properties by their shapes."""
        if not isinstance(node, dict):
            return
        for key in ("properties", *ALTERNATIVES, *SCHEMAS, "$defs", "definitions", "patternProperties"):
            value = node.get(key)
            if key in NAMED and isinstance(value, dict):
                for name, inner in sorted(value.items(), key=lambda member: self.of(member[1])):
                    yield from [name] if key == "properties" and not texts else []
                    yield from self.names(inner, texts=texts)
            else:
                for item in value if isinstance(value, list) else [value]:
                    yield from self.names(item, texts=texts)
        if texts:
            yield from (value for value in [*node.get("enum", ()), node.get("const")] if isinstance(value, str))


def _kept(node: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    return ((key, value) for key, value in node.items() if key not in ANNOTATIONS and not key.startswith("x-"))
