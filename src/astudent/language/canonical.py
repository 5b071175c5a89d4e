"""The canonical form of an AST: what does not change the meaning, and can be seen by reading, is written in one way.

Kept in one form: the order of keys; the order, repetition and nesting of the parts of `and` and `or`; one-part `and`
and `or`; double negation; the order and repetition of `in`, `not_in` and `group_by`; sort keys that come again; numbers
(5.0 is 5) and composed Unicode. Every operator stays as it is, so the canonical form of a valid AST is valid.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any

from astudent.language.serialise import dumps, plain_numbers

TOP_KEYS = ("where", "group_by", "aggregate", "sort", "limit")
LIST_OPERATORS = ("in", "not_in")
Json = Any


def canonical(ast: Json) -> Json:
    """A new AST in canonical form. Applying it twice changes nothing; parts that are no AST stay as they are."""
    ast = _composed(plain_numbers(ast))
    if not isinstance(ast, dict):
        return ast
    result = _keys_first(ast, TOP_KEYS)
    if "where" in result:
        result["where"] = _condition(result["where"])
    if _is_list_of(result.get("group_by"), str):
        result["group_by"] = sorted(set(result["group_by"]))
    if isinstance(result.get("aggregate"), dict):
        result["aggregate"] = _keys_first(result["aggregate"], ("function", "field"))
    if _is_list_of(result.get("sort"), dict):
        result["sort"] = _first_of_each_field(_keys_first(key, ("field", "order")) for key in result["sort"])
    return result


def canonical_text(ast: Json) -> str:
    """The canonical form as compact JSON: equal texts, equal meaning."""
    return dumps(canonical(ast))


def _condition(node: Json) -> Json:
    if not isinstance(node, dict):
        return node
    for connective in ("and", "or"):
        if set(node) == {connective} and isinstance(node[connective], list):
            return _joined(connective, [_condition(part) for part in node[connective]])
    if set(node) == {"not"}:
        inner = _condition(node["not"])
        is_negation = isinstance(inner, dict) and set(inner) == {"not"}
        return inner["not"] if is_negation else {"not": inner}
    return _comparison(node)


def _joined(connective: str, parts: list[Json]) -> Json:
    """`and`/`or` over canonical parts: flat, without repetition, sorted; a single part stands alone."""
    flat = [inner for part in parts for inner in _spread(connective, part)]
    distinct = {dumps(part): part for part in flat}
    ordered = [distinct[text] for text in sorted(distinct)]
    return ordered[0] if len(ordered) == 1 else {connective: ordered}


def _spread(connective: str, part: Json) -> list[Json]:
    same = isinstance(part, dict) and set(part) == {connective} and isinstance(part[connective], list)
    return part[connective] if same else [part]


def _comparison(node: dict[str, Json]) -> dict[str, Json]:
    result = _keys_first(node, ("field", "operator", "value"))
    if result.get("operator") in LIST_OPERATORS and isinstance(result.get("value"), list):
        distinct = {dumps(value): value for value in result["value"]}
        result["value"] = [distinct[text] for text in sorted(distinct)]
    return result


def _first_of_each_field(keys: Iterable[dict[str, Json]]) -> list[dict[str, Json]]:
    """A later sort key on a field that is sorted by already orders nothing."""
    kept: dict[str, dict[str, Json]] = {}
    for key in keys:
        kept.setdefault(dumps(key.get("field")), key)
    return list(kept.values())


def _keys_first(node: dict[str, Json], order: tuple[str, ...]) -> dict[str, Json]:
    known = [key for key in order if key in node]
    return {key: node[key] for key in known + sorted(key for key in node if key not in order)}


def _is_list_of(value: Json, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _composed(value: Json) -> Json:
    """All texts in composed Unicode (NFC), in which `é` has one spelling."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {key: _composed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_composed(item) for item in value]
    return value
