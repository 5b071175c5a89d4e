"""What a schema's language can talk about, read from the schema alone.

read_vocabulary(schema) -> fields with types, labels, operators and values; sorting, grouping, functions, limit
"""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from astudent.errors import UsageError

MAX_REFERENCES = 20  # a chain of $ref longer than this is a loop
Json = Any
Labels = Mapping[str, str]  # the words for a name by language, `en` and `fr`


@dataclass(frozen=True)
class FieldInfo:
    """One field: `type` is number, integer, string, boolean, enum or date; `values` (value, labels) for enums only."""

    name: str
    type: str
    labels: Labels
    operators: tuple[str, ...]
    values: tuple[tuple[Any, Labels], ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """One language. A part that the schema does not offer is empty (or None for the limit)."""

    title: str
    labels: Labels
    fields: Mapping[str, FieldInfo]
    sortable: tuple[str, ...] = ()
    groupable: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    max_groups: int = 0
    max_sorts: int = 0
    max_limit: int | None = None
    connectives: tuple[str, ...] = field(default=("and", "or", "not"))

    @property
    def names(self) -> frozenset[str]:
        """Of the fields and of their values."""
        fields = self.fields.values()
        return frozenset(field.name for field in fields) | {str(value) for field in fields for value, _ in field.values}


def read_vocabulary(schema: Json) -> Vocabulary:
    """The vocabulary of a query language's schema; UsageError when the schema describes something else."""
    return _read(json.dumps(schema, ensure_ascii=False))


def is_query_language(schema: Json) -> bool:
    """Whether the schema describes a query language; else its answers are compared as plain JSON."""
    try:
        read_vocabulary(schema)
    except UsageError:
        return False
    return True


@functools.lru_cache(maxsize=512)
def _read(text: str) -> Vocabulary:
    schema = json.loads(text)
    try:
        return _Reader(schema).vocabulary()
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise UsageError(f"the schema describes no query language ({detail})", "Build it with stage 02.") from error


class _Reader:
    """Walks one schema; its methods raise KeyError, TypeError... where the schema has another shape."""

    def __init__(self, schema: dict[str, Json]) -> None:
        self.schema = schema

    def vocabulary(self) -> Vocabulary:
        fields: dict[str, FieldInfo] = {}
        connectives = []
        for node in self._alternatives(self.schema["properties"]["where"]):
            if "field" in node["properties"]:
                self._add_comparison(node["properties"], fields)
            else:
                connectives += [key for key in ("and", "or", "not") if key in node["properties"]]
        title = self.schema.get("title", "item")
        labels = _labels(title, self.schema.get("x-labels", {}))
        return Vocabulary(title, labels, fields, connectives=tuple(connectives), **self._options(), **self._aggregate())

    def _options(self) -> dict[str, Any]:
        """Sorting, grouping and limit."""
        properties, options = self.schema["properties"], {}
        if "sort" in properties:
            key = self._resolve(properties["sort"]["items"])["properties"]["field"]
            options |= {"sortable": self._names(key), "max_sorts": properties["sort"].get("maxItems", 1)}
        if "group_by" in properties:
            groups = properties["group_by"]
            options |= {"groupable": self._names(groups["items"]), "max_groups": groups.get("maxItems", 1)}
        if "limit" in properties:
            options["max_limit"] = properties["limit"].get("maximum", 100)
        return options

    def _aggregate(self) -> dict[str, Any]:
        functions: list[str] = []
        numeric: tuple[str, ...] = ()
        if "aggregate" in self.schema["properties"]:
            for node in self._alternatives(self.schema["properties"]["aggregate"]):
                functions += self._names(node["properties"]["function"])
                numeric = self._names(node["properties"]["field"]) if "field" in node["properties"] else numeric
        return {"functions": tuple(functions), "numeric": numeric}

    def _add_comparison(self, properties: dict[str, Json], fields: dict[str, FieldInfo]) -> None:
        operators = self._names(properties["operator"])
        field_type, values = self._value_type(self._resolve(properties["value"]))
        for name, labels in self._entries(properties["field"]):
            known = fields.get(name) or FieldInfo(name, field_type, labels, (), values)
            added = tuple(operator for operator in operators if operator not in known.operators)
            fields[name] = replace(known, operators=known.operators + added)

    def _value_type(self, node: dict[str, Json]) -> tuple[str, tuple[tuple[Any, Labels], ...]]:
        if node.get("type") == "array":
            return self._value_type(self._resolve(node["items"]))
        if any(key in node for key in ("oneOf", "anyOf", "enum", "const")):
            return "enum", tuple(self._entries(node))
        if node["type"] == "string" and node.get("format") == "date":
            return "date", ()
        if node["type"] not in ("number", "integer", "string", "boolean"):
            raise ValueError(f"values of type {node['type']}")
        return node["type"], ()

    def _alternatives(self, node: dict[str, Json]) -> Iterator[dict[str, Json]]:
        node = self._resolve(node)
        options = node.get("anyOf") or node.get("oneOf") or [node]
        return (self._resolve(option) for option in options)

    def _names(self, node: dict[str, Json]) -> tuple[str, ...]:
        return tuple(value for value, _ in self._entries(node))

    def _entries(self, node: dict[str, Json]) -> Iterator[tuple[Any, Labels]]:
        """The constants that a node allows, with their labels."""
        node = self._resolve(node)
        for option in node.get("oneOf") or node.get("anyOf") or [node]:
            option = self._resolve(option)
            for value in option["enum"] if "enum" in option else [option["const"]]:
                yield value, _labels(value, option.get("x-labels", {}))

    def _resolve(self, node: dict[str, Json]) -> dict[str, Json]:
        for _ in range(MAX_REFERENCES):
            if "$ref" not in node:
                return node
            name = node["$ref"].removeprefix("#/$defs/")
            node = self.schema["$defs"][name]
        raise ValueError("a $ref that leads to itself")


def _labels(value: Any, labels: Labels) -> Labels:
    """Both languages; where the schema gives no label, the name with spaces."""
    spelled = str(value).replace("_", " ")
    return {language: labels.get(language, spelled) for language in ("en", "fr")}
