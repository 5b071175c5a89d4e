"""A quick yes for instances: most rows are valid, and jsonschema takes milliseconds to say so.

What this module calls valid is valid under JSON Schema 2020-12, with formats asserted; what it does not know, or what
looks invalid, goes to jsonschema, which knows the reasons.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema

from astudent.language import linear_patterns
from astudent.language.schema_limits import MAX_STEPS

Json = Any
Check = Callable[[Json], bool]
IGNORED = frozenset({"title", "description", "$comment", "$schema", "$defs", "default", "examples", "deprecated"})
READ = frozenset(
    """type properties required additionalProperties enum const items minItems maxItems minimum maximum exclusiveMinimum
    exclusiveMaximum minLength maxLength pattern format anyOf oneOf allOf $ref""".split()
)
TYPES: dict[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: _is_number(value),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}
BOUNDS: dict[str, Callable[[Json, Json], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusiveMinimum": lambda value, bound: value > bound,
    "exclusiveMaximum": lambda value, bound: value < bound,
}
LENGTHS: dict[str, tuple[type, Callable[[int, Json], bool]]] = {
    "minLength": (str, lambda length, bound: length >= bound),
    "maxLength": (str, lambda length, bound: length <= bound),
    "minItems": (list, lambda length, bound: length >= bound),
    "maxItems": (list, lambda length, bound: length <= bound),
}


class QuickValidity:
    """Is an instance surely valid under this checked schema? False says nothing. One call at a time."""

    def __init__(self, schema: Json, formats: jsonschema.FormatChecker) -> None:
        self._schema, self._formats = schema, formats
        self._made: dict[int, Check] = {}
        self._steps = 0
        self._root = self._check(schema)

    def __call__(self, value: Json) -> bool:
        self._steps = MAX_STEPS
        try:
            return self._root(value)
        except RecursionError:
            return False

    def _check(self, node: Json) -> Check:
        """The node's check, made once: schemas refer to themselves."""
        if not isinstance(node, dict):
            return lambda value: node is True
        if id(node) not in self._made:
            self._made[id(node)] = lambda value: self._made[id(node)](value)
            self._made[id(node)] = self._all(list(self._checks(node)))
        return self._made[id(node)]

    def _all(self, checks: list[Check]) -> Check:
        def holds(value: Json) -> bool:
            self._steps -= 1
            return self._steps > 0 and all(check(value) for check in checks)

        return checks[0] if len(checks) == 1 else holds

    def _checks(self, node: dict[str, Json]) -> Iterator[Check]:
        if any(key not in READ and key not in IGNORED and not key.startswith("x-") for key in node):
            yield lambda value: False
            return
        if "type" in node:
            yield _of_type(node["type"])
        yield from _constants(node)
        yield from _bounds(node)
        if node.keys() & {"properties", "required", "additionalProperties"}:
            yield self._object(node)
        if "items" in node:
            yield self._array(self._check(node["items"]))
        yield from self._texts(node)
        yield from self._combined(node)

    def _object(self, node: dict[str, Json]) -> Check:
        members = {name: self._check(inner) for name, inner in node.get("properties", {}).items()}
        required, extra = frozenset(node.get("required", ())), self._check(node.get("additionalProperties", True))

        def holds(value: Json) -> bool:
            if not isinstance(value, dict):
                return True
            self._steps -= 1
            return required <= value.keys() and all(members.get(key, extra)(item) for key, item in value.items())

        return holds

    def _array(self, each: Check) -> Check:
        return lambda value: not isinstance(value, list) or all(map(each, value))

    def _texts(self, node: dict[str, Json]) -> Iterator[Check]:
        if "pattern" in node:
            pattern = node["pattern"]
            yield lambda value: not isinstance(value, str) or linear_patterns.search(pattern, value)
        if "format" in node:
            name, formats = node["format"], self._formats
            yield lambda value: formats.conforms(value, name)

    def _combined(self, node: dict[str, Json]) -> Iterator[Check]:
        if "$ref" in node:
            yield self._referred(node["$ref"])
        if "allOf" in node:
            yield from [self._check(option) for option in node["allOf"]]
        if "anyOf" in node:
            options = [self._check(option) for option in node["anyOf"]]
            yield lambda value: any(option(value) for option in options)
        if "oneOf" in node:
            yield _one_of_texts(node["oneOf"])

    def _referred(self, reference: str) -> Check:
        prefix, _, name = reference.rpartition("/")
        target = self._schema.get("$defs", {}).get(name) if prefix == "#/$defs" else None
        return self._check(target if target is not None else self._schema if reference == "#" else False)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_type(names: Json) -> Check:
    checks = [TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)


def _constants(node: dict[str, Json]) -> Iterator[Check]:
    """`enum` and `const` of texts; of other values those of the very same type."""
    for values in [node[key] if key == "enum" else [node[key]] for key in ("enum", "const") if key in node]:
        known = {(type(each), each) for each in values if isinstance(each, str | int | float | None)}
        yield lambda value, known=known: not isinstance(value, dict | list) and (type(value), value) in known


def _bounds(node: dict[str, Json]) -> Iterator[Check]:
    for key, within in BOUNDS.items():
        if key in node:
            yield lambda value, within=within, bound=node[key]: not _is_number(value) or within(value, bound)
    for key, (kind, within) in LENGTHS.items():
        if key in node:
            yield (
                lambda value, kind=kind, within=within, bound=node[key]: (
                    not isinstance(value, kind) or within(len(value), bound)
                )
            )


def _one_of_texts(options: list[Json]) -> Check:
    """Alternatives that are different texts: one at most fits. Other alternatives are for jsonschema."""
    values = [option.get("const") if isinstance(option, dict) else None for option in options]
    plain = all(isinstance(option, dict) and option.keys() <= {"const", "x-labels"} for option in options)
    if not plain or not all(isinstance(value, str) for value in values) or len(set(values)) < len(values):
        return lambda value: False
    known = frozenset(values)
    return lambda value: isinstance(value, str) and value in known
