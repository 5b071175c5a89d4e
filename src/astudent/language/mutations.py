"""Breaks a valid AST in one place, in one of the ways in which models break them.

mutate(ast, schema, rng) -> Mutation(kind, ast, message): never valid under the schema, with the validator's message
"""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from astudent.errors import RunError
from astudent.language.validation import validator_for
from astudent.language.vocabulary import FieldInfo, Vocabulary, read_vocabulary

ALL_OPERATORS = (
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "in",
    "not_in",
    "contains",
    "starts_with",
    "ends_with",
)
INVENTED_OPERATORS = ("equals", "==", ">", "<=", "is", "like", "not", "matches", "superior", "EQ")
EXTRA_KEYS = ("note", "comment", "type", "case_sensitive", "negate", "offset", "distinct")
Ast = dict[str, Any]


@dataclass(frozen=True)
class Mutation:
    """A broken AST: what was done to it, and what the validator says."""

    kind: str
    ast: Ast
    message: str


def mutate(ast: Ast, schema: dict[str, Any], rng: random.Random) -> Mutation:
    """One mutation of a kind drawn at random among those that apply; `ast` itself stays as it is."""
    vocabulary, validator = read_vocabulary(schema), validator_for(schema)
    kinds = list(KINDS)
    rng.shuffle(kinds)
    for kind in kinds:
        broken = copy.deepcopy(ast)
        if KINDS[kind](broken, vocabulary, rng) and (problems := validator.problems(broken)):
            return Mutation(kind, broken, problems[0])
    raise RunError("no mutation breaks this AST", "Its schema takes anything: close its objects.")


def _comparisons(node: Any) -> Iterator[Ast]:
    """All comparisons inside, from left to right."""
    if isinstance(node, dict):
        if "operator" in node:
            yield node
        for value in node.values():
            yield from _comparisons(value)
    elif isinstance(node, list):
        for item in node:
            yield from _comparisons(item)


def _one_comparison(ast: Ast, rng: random.Random, fits: Callable[[Ast], bool] = lambda _: True) -> Ast | None:
    found = [comparison for comparison in _comparisons(ast) if fits(comparison)]
    return rng.choice(found) if found else None


def _unknown_field(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """A name that the language does not have: a label, another spelling, or a bit more."""
    comparison = _one_comparison(ast, rng)
    if comparison is None:
        return False
    name = comparison["field"]
    labels = vocabulary.fields[name].labels
    comparison["field"] = rng.choice([labels["fr"], labels["en"], name + "s", name + "_id", name.upper(), name[:-1]])
    return comparison["field"] not in vocabulary.fields


def _unknown_operator(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    comparison = _one_comparison(ast, rng)
    if comparison is not None:
        comparison["operator"] = rng.choice(INVENTED_OPERATORS)
    return comparison is not None


def _wrong_operator_for_type(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """An operator of the family that this field, or this language, does not take."""
    comparison = _one_comparison(ast, rng)
    if comparison is None:
        return False
    taken = vocabulary.fields[comparison["field"]].operators
    comparison["operator"] = rng.choice([operator for operator in ALL_OPERATORS if operator not in taken])
    return True


def _value_out_of_enum(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """A choice that its field does not offer: a label, another field's value, or another spelling."""
    comparison = _one_comparison(ast, rng, lambda c: vocabulary.fields[c["field"]].type == "enum")
    if comparison is None:
        return False
    wrong = _foreign_value(vocabulary.fields[comparison["field"]], vocabulary, rng)
    if isinstance(comparison["value"], list):
        comparison["value"][rng.randrange(len(comparison["value"]))] = wrong
    else:
        comparison["value"] = wrong
    return True


def _foreign_value(field: FieldInfo, vocabulary: Vocabulary, rng: random.Random) -> str:
    value, labels = rng.choice(field.values)
    others = [other for info in vocabulary.fields.values() for other, _ in info.values]
    return str(rng.choice([labels["fr"], labels["en"], *others, f"{value}_", str(value).title(), "other"]))


def _wrong_type(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """A number as text, text as a number, a boolean as a word..."""
    comparison = _one_comparison(ast, rng)
    if comparison is None:
        return False
    value = comparison["value"]
    values = value if isinstance(value, list) else [value]
    index = rng.randrange(len(values))
    old = values[index]
    values[index] = (
        str(old).lower() if isinstance(old, bool | int | float) else rng.choice([len(old), None, True, [old]])
    )
    comparison["value"] = values if isinstance(value, list) else values[0]
    return True


def _wrong_value_shape(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """A list where one value belongs, one value where a list does, a range with one end or three."""
    comparison = _one_comparison(ast, rng)
    if comparison is None:
        return False
    value = comparison["value"]
    if comparison["operator"] == "between":
        comparison["value"] = rng.choice([value[:1], [*value, value[1]], {"low": value[0], "high": value[1]}, value[0]])
    elif isinstance(value, list):
        comparison["value"] = rng.choice([", ".join(map(str, value)), []])
    else:
        comparison["value"] = rng.choice([[value], {"value": value}])
    return True


def _bad_date(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """A day that does not exist, or is written in another way."""
    comparison = _one_comparison(ast, rng, lambda c: vocabulary.fields[c["field"]].type == "date")
    if comparison is None:
        return False
    ends = comparison["value"] if isinstance(comparison["value"], list) else [comparison["value"]]
    year, month, day = ends[-1].split("-")
    bad = rng.choice(
        [f"{day}/{month}/{year}", f"{year}-{month}", f"{year}-02-30", f"{year}-13-{day}", f"{year}/{month}/{day}"]
    )
    comparison["value"] = [*ends[:-1], bad] if isinstance(comparison["value"], list) else bad
    return True


def _missing_key(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    required = [
        (node, key)
        for node in _objects(ast)
        for key in ("field", "operator", "value", "order", "function")
        if key in node
    ]
    if required:
        node, key = rng.choice(required)
        del node[key]
    return bool(required)


def _extra_key(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    key = rng.choice(EXTRA_KEYS)
    rng.choice([ast, *_objects(ast)])[key] = rng.choice([True, "", 0, None])
    return True


def _renamed_key(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """`op` for `operator`, `filter` for `where`...: the same content under a key of another language."""
    names = {
        "where": "filter", "operator": "op", "field": "column", "value": "values", "and": "all", "or": "any", "not": "none",
        "sort": "order_by", "limit": "top", "group_by": "groupby", "order": "direction", "function": "fn", "aggregate": "agg",
    }  # fmt: skip
    found = [(node, key) for node in [ast, *_objects(ast)] for key in node if key in names]
    if not found:
        return False
    node, old = rng.choice(found)
    items = [(names[key] if key == old else key, value) for key, value in node.items()]
    node.clear()
    node.update(items)
    return True


def _bad_limit(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    most = vocabulary.max_limit
    if "limit" in ast:
        ast["limit"] = rng.choice([0, -1, (most or 1) + 1, str(ast["limit"]), ast["limit"] + 0.5, None])
    else:
        ast["limit"] = 5 if most is None else rng.choice([0, -5, most + 1, "5", 2.5])
    return True


def _bad_order(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    if "sort" not in ast:
        return False
    key = rng.choice(ast["sort"])
    key["order"] = rng.choice(["ascending", "descending", "up", "DESC", "croissant", -1])
    return True


def _missing_feature(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """A part that this language does not have, or a field that it does not take there."""
    name = rng.choice(list(vocabulary.fields))
    parts = {
        "sort": [{"field": name, "order": "desc"}] if name not in vocabulary.sortable else None,
        "group_by": [name] if name not in vocabulary.groupable else None,
        "aggregate": {"function": "sum", "field": name} if name not in vocabulary.numeric else None,
    }
    offered = [part for part, value in parts.items() if value]
    if offered:
        part = rng.choice(offered)
        ast[part] = parts[part]
    return bool(offered)


def _wrong_nesting(ast: Ast, vocabulary: Vocabulary, rng: random.Random) -> bool:
    """Conditions in the wrong place: a bare list, a lone part in `and`, an object for a list, `not` over a list."""
    where = ast.get("where")
    if where is None:
        return False
    joined = [key for key in ("and", "or") if key in where]
    options: list[Any] = [[where], {"and": [where]}, {"or": where}, {"not": [where]}, {"where": where}]
    if joined:
        options += [where[joined[0]], {joined[0]: {str(i): part for i, part in enumerate(where[joined[0]])}}]
    ast["where"] = rng.choice(options)
    return True


def _objects(node: Any) -> list[Ast]:
    """All objects below the root."""
    children = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    below = [found for child in children for found in _objects(child)]
    return [child for child in children if isinstance(child, dict)] + below


KINDS: dict[str, Callable[[Ast, Vocabulary, random.Random], bool]] = {
    "unknown_field": _unknown_field,
    "unknown_operator": _unknown_operator,
    "wrong_operator_for_type": _wrong_operator_for_type,
    "value_out_of_enum": _value_out_of_enum,
    "wrong_type": _wrong_type,
    "wrong_value_shape": _wrong_value_shape,
    "bad_date": _bad_date,
    "missing_key": _missing_key,
    "extra_key": _extra_key,
    "renamed_key": _renamed_key,
    "bad_limit": _bad_limit,
    "bad_order": _bad_order,
    "missing_feature": _missing_feature,
    "wrong_nesting": _wrong_nesting,
}
