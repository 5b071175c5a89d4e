"""Bounds on schemas that strangers wrote: size, depth, references, expansion, and steps while an instance is checked."""

import contextlib
import contextvars
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import referencing
import referencing.exceptions
from referencing.jsonschema import DRAFT202012

from astudent.errors import RunError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_CHARACTERS = 300_000
MAX_DEPTH = 64
MAX_EXPANSION = 5_000  # subschemas that apply to one place of an instance
MAX_STEPS = 50_000  # applications of subschemas while one instance is checked

IN_PLACE_LISTS = ("anyOf", "oneOf", "allOf")
IN_PLACE = ("not", "if", "then", "else")
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
DATA = ("const", "enum", "default", "examples", "x-labels")
APPLICATORS = (
    *("$ref", "$dynamicRef", *IN_PLACE_LISTS, "not", "if", "dependentSchemas", "properties", "patternProperties"),
    *("additionalProperties", "propertyNames", "items", "prefixItems", "contains"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
HINT = "Simplify the schema, or take the row out."
Json = Any


class BudgetError(Exception):
    """An instance would take more steps to check than anybody meant."""


_steps: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("steps", default=None)


@contextlib.contextmanager
def budget(steps: int = MAX_STEPS) -> Iterator[None]:
    """Within it a bounded validator raises BudgetError after `steps` applications of subschemas."""
    token = _steps.set([steps])
    try:
        yield
    finally:
        _steps.reset(token)


def bounded(keywords: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """jsonschema's keyword functions, those that apply subschemas counted against the budget."""
    return {name: _counted(run) if name in APPLICATORS else run for name, run in keywords.items()}


def _counted(run: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Any:
        left = _steps.get()
        if left is not None:
            left[0] -= 1
            if left[0] < 0:
                raise BudgetError
        return run(*arguments)

    return counted


def check_shape(schema: Json) -> None:
    """RunError when it is no object, too large, too deep, of another dialect, or refers outside itself."""
    if not isinstance(schema, dict):
        raise RunError(f"not a JSON Schema: {type(schema).__name__} where an object is needed", "Mend the schema.")
    if is_deeper(schema, MAX_DEPTH):
        raise RunError(f"schema nested deeper than {MAX_DEPTH} levels", HINT)
    if len(json.dumps(schema)) > MAX_CHARACTERS:
        raise RunError(f"schema longer than {MAX_CHARACTERS} characters", HINT)
    dialect = schema.get("$schema", DIALECT)
    if not isinstance(dialect, str) or dialect.rstrip("#") != DIALECT:
        raise RunError(f"schema of another dialect: {str(dialect)[:80]}", f"Convert it to {DIALECT}.")
    for node in subschemas(schema):
        _check_references(node, node is schema)


def is_deeper(value: Json, levels: int) -> bool:
    """Whether objects and arrays are nested in more than so many levels."""
    level = _containers([value])
    for _ in range(levels):
        level = _containers(child for node in level for child in (node.values() if isinstance(node, dict) else node))
        if not level:
            return False
    return True


def _containers(values: Iterable[Json]) -> list[Json]:
    return [value for value in values if isinstance(value, dict | list)]


def _check_references(node: dict[str, Json], is_root: bool) -> None:
    for key in ("$ref", "$dynamicRef"):
        target = node.get(key)
        if isinstance(target, str) and not target.startswith("#"):
            raise RunError(f"schema refers outside itself: {key} {target[:80]!r}", "Inline what it refers to.")
    if "$id" in node and not is_root:
        raise RunError(f"schema within a schema: $id {str(node['$id'])[:80]!r}", "Move it into $defs without $id.")


def subschemas(schema: Json) -> Iterator[dict[str, Json]]:
    """Every object of the document that stands where a schema may stand; the data of `const`, `enum`... is no schema."""
    stack: list[Json] = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            yield node
            for key, value in node.items():
                if key in NAMED and isinstance(value, dict):
                    stack.extend(value.values())
                elif key not in DATA:
                    stack.append(value)


def check_expansion(schema: dict[str, Json]) -> None:
    """RunError when a reference points nowhere, or subschemas on one place loop or multiply."""
    resource = referencing.Resource(contents=schema, specification=DRAFT202012)
    # without $id: references within the schema are all that there is
    resolver = referencing.Registry().with_resource("", resource).resolver()
    costs: dict[int, int] = {}
    for node in subschemas(schema):
        try:
            _expansion(node, resolver, costs, set())
        except (referencing.exceptions.Unresolvable, referencing.exceptions.PointerToNowhere) as error:
            raise RunError(f"schema has a reference that points nowhere: {error.ref[:80]!r}", "Mend it.") from error
        except RecursionError as error:
            raise RunError("schema with too long a chain of references", HINT) from error


def _expansion(node: Json, resolver: Any, costs: dict[int, int], path: set[int]) -> int:
    """How many subschemas apply to the place that `node` applies to; memoised, since sharing multiplies."""
    if not isinstance(node, dict):
        return 1
    key = id(node)
    if key in path:
        raise RunError("schema refers to itself without an end", HINT)
    if key not in costs:
        path.add(key)
        costs[key] = 1 + sum(_expansion(inner, resolver, costs, path) for inner in _in_place(node, resolver))
        path.discard(key)
        if costs[key] > MAX_EXPANSION:
            raise RunError(f"schema with more than {MAX_EXPANSION} subschemas for one place", HINT)
    return costs[key]


def _in_place(node: dict[str, Json], resolver: Any) -> Iterator[Json]:
    for key in ("$ref", "$dynamicRef"):
        if isinstance(node.get(key), str):
            yield resolver.lookup(node[key]).contents
    for key in IN_PLACE_LISTS:
        yield from node.get(key, ())
    yield from (node[key] for key in IN_PLACE if key in node)
    yield from node.get("dependentSchemas", {}).values()
