"""Other spellings of the same AST, each right by the rules of logic, order and arithmetic, without a look at the package."""

import copy
import datetime
import unicodedata
from collections.abc import Callable
from random import Random
from typing import Any

from ast_parts import conditions_in
from random_languages import comparison

from astudent.language.vocabulary import Vocabulary

Ast = dict[str, Any]
OPPOSITES = {"eq": "neq", "gt": "lte", "gte": "lt", "in": "not_in"}
OPPOSITES |= {opposite: operator for operator, opposite in OPPOSITES.items()}


def rewritten(ast: Ast, vocabulary: Vocabulary, rng: Random, steps: int) -> tuple[Ast, list[str]]:
    """The AST after some rewrites, and their names."""
    ast, names = copy.deepcopy(ast), []
    for _ in range(steps):
        name = rng.choice(list(REWRITES))
        if REWRITES[name](ast, vocabulary, rng):
            names.append(name)
    return ast, names


def _put(node: Ast, other: Ast) -> bool:
    """Makes `other` of a node where it stands."""
    other = copy.deepcopy(other)
    node.clear()
    node.update(other)
    return True


def _one(ast: Ast, rng: Random, *keys: str) -> Ast | None:
    """Some condition of the AST that has one of the keys (none named: any)."""
    found = [node for node in conditions_in(ast) if not keys or any(key in node for key in keys)]
    return rng.choice(found) if found else None


def _has(node: Ast, vocabulary: Vocabulary, *operators: str) -> bool:
    return set(operators) <= set(vocabulary.fields[node["field"]].operators)


def order(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """Parts, lists, groups and keys in another order."""
    for node in conditions_in(ast):
        for key in ("and", "or"):
            if key in node:
                rng.shuffle(node[key])
        if node.get("operator") in ("in", "not_in"):
            rng.shuffle(node["value"])
        _put(node, dict(rng.sample(list(node.items()), len(node))))
    if "group_by" in ast:
        rng.shuffle(ast["group_by"])
    return _put(ast, dict(rng.sample(list(ast.items()), len(ast))))


def double_negation(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    node = _one(ast, rng)
    return node is not None and _put(node, {"not": {"not": dict(node)}})


def nesting(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """(a and b and c) as ((a and b) and c)."""
    node = _one(ast, rng, "and", "or")
    if node is None or len(parts := next(iter(node.values()))) < 3:
        return False
    [key] = node
    return _put(node, {key: [{key: parts[:2]}, *parts[2:]]})


def repetition(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """a as (a and a), a part twice."""
    node = _one(ast, rng)
    return node is not None and _put(node, {rng.choice(("and", "or")): [dict(node), dict(node)]})


def de_morgan(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    node = _one(ast, rng, "and", "or")
    if node is None:
        return False
    [(key, parts)] = node.items()
    return _put(node, {"not": {"or" if key == "and" else "and": [{"not": part} for part in parts]}})


def distribution(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """a and (b or c) as (a and b) or (a and c), and the other way round."""
    for outer, inner in (("and", "or"), ("or", "and")):
        for node in conditions_in(ast):
            if outer in node and len(node[outer]) == 2 and inner in node[outer][1]:
                first, second = node[outer]
                return _put(node, {inner: [{outer: [first, part]} for part in second[inner]]})
    return False


def absorption(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """a as a and (a or b), for any b."""
    node = _one(ast, rng)
    if node is None:
        return False
    outer, inner = rng.choice((("and", "or"), ("or", "and")))
    return _put(node, {outer: [dict(node), {inner: [dict(node), _any_comparison(ast, vocabulary, rng)]}]})


def tautology(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """a as a and (b or not b)."""
    other = _any_comparison(ast, vocabulary, rng)
    always = {"or": [other, {"not": other}]}
    ast["where"] = {"and": [ast["where"], always]} if "where" in ast else always
    return True


def _any_comparison(ast: Ast, vocabulary: Vocabulary, rng: Random) -> Ast:
    """About a field of the AST, where it has one."""
    named = [node["field"] for node in conditions_in(ast) if "field" in node] or list(vocabulary.fields)
    field = vocabulary.fields[rng.choice(named)]
    return comparison(field, rng.choice(field.operators), rng)


def opposite(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """not (x > 3) for x <= 3."""
    node = _one(ast, rng, "field")
    if node is None or not _has(node, vocabulary, OPPOSITES.get(node["operator"], "none")):
        return False
    return _put(node, {"not": node | {"operator": OPPOSITES[node["operator"]]}})


def other_choice(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """`open is true` as not `open is false`; of an enum, one value as none of all others."""
    node = _one(ast, rng, "field")
    if node is None or node["operator"] != "eq":
        return False
    field = vocabulary.fields[node["field"]]
    if field.type == "boolean":
        return _put(node, {"not": node | {"value": not node["value"]}})
    others = [value for value, _ in field.values if value != node["value"]]
    if field.type != "enum" or not others or not _has(node, vocabulary, "in"):
        return False
    return _put(node, {"not": node | {"operator": "in", "value": others}})


def range_in_parts(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """between 2 and 5 as at least 2 and at most 5; equal to 2 as that of 2 and 2."""
    node = _one(ast, rng, "field")
    if node is None or not _has(node, vocabulary, "gte", "lte") or node["operator"] not in ("between", "eq"):
        return False
    low, high = node["value"] if node["operator"] == "between" else (node["value"], node["value"])
    ends = (("gte", low), ("lte", high))
    return _put(node, {"and": [node | {"operator": operator, "value": end} for operator, end in ends]})


def list_in_parts(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """in [a, b] as eq a or eq b; not_in [a, b] as neq a and neq b."""
    node = _one(ast, rng, "field")
    parts = {"in": ("or", "eq"), "not_in": ("and", "neq")}.get(node["operator"] if node else "")
    if node is None or parts is None or not _has(node, vocabulary, parts[1]):
        return False
    single = [node | {"operator": parts[1], "value": value} for value in node["value"]]
    return _put(node, single[0] if len(single) == 1 else {parts[0]: single})


def next_step(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """Of whole numbers and days: above 3 as at least 4, below 3 as at most 2."""
    node = _one(ast, rng, "field")
    step = {"gt": ("gte", 1), "lt": ("lte", -1)}.get(node["operator"] if node else "")
    if node is None or step is None or not _has(node, vocabulary, step[0]):
        return False
    kind = vocabulary.fields[node["field"]].type
    if kind == "integer":
        return _put(node, node | {"operator": step[0], "value": node["value"] + step[1]})
    day = datetime.date.fromisoformat(node["value"]) if kind == "date" else None
    later = day and (day + datetime.timedelta(days=step[1])).isoformat()
    return bool(later) and _put(node, node | {"operator": step[0], "value": later})


def spelling(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """5 as 5.0, and é as e with an accent after it."""
    for node in conditions_in(ast):
        if "field" in node:
            kind = vocabulary.fields[node["field"]].type
            values = node["value"] if isinstance(node["value"], list) else [node["value"]]
            spelt = [_spelt(value, kind) for value in values]
            node["value"] = spelt if isinstance(node["value"], list) else spelt[0]
    if "limit" in ast:
        ast["limit"] = float(ast["limit"])
    return True


def _spelt(value: Any, kind: str) -> Any:
    if kind in ("number", "integer"):
        return float(value)
    return unicodedata.normalize("NFD", value) if kind == "string" else value


def unseen_order(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """Sorting what is only grouped or summed up; sorting once more by the same field."""
    if "sort" in ast and len(ast["sort"]) < vocabulary.max_sorts:
        ast["sort"].append(dict(ast["sort"][0], order=rng.choice(("asc", "desc"))))
        return True
    if vocabulary.sortable and "limit" not in ast and ("aggregate" in ast or "group_by" in ast):
        ast["sort"] = [{"field": rng.choice(vocabulary.sortable), "order": "asc"}]
        return True
    return False


REWRITES: dict[str, Callable[[Ast, Vocabulary, Random], bool]] = {
    function.__name__: function
    for function in (
        *(order, double_negation, nesting, repetition, de_morgan, distribution, absorption, tautology, opposite),
        *(other_choice, range_in_parts, list_in_parts, next_step, spelling, unseen_order),
    )
}
