"""What kind of request a sample is, read from its known AST: how many conditions, how deep, which constructs and fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from astudent.errors import UsageError
from astudent.evaluation.results import ResultRow
from astudent.language.vocabulary import read_vocabulary

Ast = dict[str, Any]

CONSTRUCTS = ("conditions", "nesting", "negation", "sort", "limit", "group", "aggregate")
MOST = 3  # conditions and depth beyond this share one slice
FIELD_KEYS = ("field", "group_by")


@dataclass(frozen=True)
class Shape:
    """Counts over one AST. `depth` is the number of connectives above the deepest comparison."""

    conditions: int
    depth: int
    constructs: tuple[str, ...]
    operators: tuple[str, ...]


def row_slices(row: ResultRow) -> Iterator[tuple[str, str]]:
    """(slice, value) pairs of any row: names, language, grade and trap where it has them, its shape, its types of fields."""
    yield from (("names", row.names), ("language", row.language))
    yield from ((name, value) for name, value in (("grade", row.grade), ("trap", row.trap)) if value)
    yield from slices_of(shape_of(row.ast_json))
    yield from (("field type", kind) for kind in field_types(row.ast_json, row.schema_json))


def field_types(ast: Ast, schema: dict[str, Any]) -> list[str]:
    """The types of the fields that a known AST names; none under a schema that is no query language's."""
    try:
        fields = read_vocabulary(schema).fields
    except UsageError:
        return []
    return sorted({fields[name].type for name in _named(ast) if name in fields})


def shape_of(ast: Ast) -> Shape:
    """Reads the shape of a known AST."""
    comparisons = list(_comparisons(ast["where"])) if "where" in ast else []
    paths = [path for path, _ in comparisons]
    operators = sorted({str(node["operator"]) for _, node in comparisons})
    return Shape(len(comparisons), max(map(len, paths), default=0), _constructs(ast, paths), tuple(operators))


def slices_of(shape: Shape) -> Iterator[tuple[str, str]]:
    """(slice, value) pairs that a sample of this shape belongs to; several constructs and operators at once."""
    yield "conditions", _capped(shape.conditions)
    yield "depth", _capped(shape.depth)
    yield from (("construct", name) for name in shape.constructs)
    yield from (("operator", name) for name in shape.operators)


def _capped(count: int) -> str:
    return str(count) if count < MOST else f"{MOST}+"


def _constructs(ast: Ast, paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    present = {
        "conditions": bool(paths),
        "nesting": any(len([step for step in path if step != "not"]) > 1 for path in paths),
        "negation": any("not" in path for path in paths),
        "sort": "sort" in ast,
        "limit": "limit" in ast,
        "group": "group_by" in ast,
        "aggregate": "aggregate" in ast,
    }
    return tuple(name for name in CONSTRUCTS if present[name])


def _comparisons(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Ast]]:
    """(connectives above, comparison) for each comparison of a valid condition; none in what another language calls `where`."""
    if not isinstance(node, dict):
        return
    for connective in ("and", "or", "not"):
        if connective in node:
            arguments = node[connective] if isinstance(node[connective], list) else [node[connective]]
            for argument in arguments:
                yield from _comparisons(argument, (*path, connective))
            return
    if "operator" in node:
        yield path, node


def _named(node: Any) -> Iterator[str]:
    """The fields that a valid AST names, wherever; values are no fields."""
    for part in node if isinstance(node, list) else ():
        yield from _named(part)
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in FIELD_KEYS:
            yield from (name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str))
        elif key != "value":
            yield from _named(value)
