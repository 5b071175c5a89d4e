"""Draws the ASTs that people would ask for, from a vocabulary.

Of the mixed ASTs at least 40% have two or more conditions, 20% nesting or negation, 20% sorting, a limit, grouping or an
aggregate. A field is asked about once, but for a range in two parts or a choice of values, so no AST contradicts itself.
"""

import random
from collections.abc import Sequence
from typing import Any, Literal

from astudent.language import values
from astudent.language.vocabulary import FieldInfo, Vocabulary

Difficulty = Literal["easy", "medium", "hard", "mixed"]
Ast = dict[str, Any]

# by difficulty: weights of 0, 1, 2, 3 and 4 conditions
CONDITION_WEIGHTS: dict[Difficulty, tuple[int, ...]] = {
    "easy": (0, 1, 0, 0, 0),
    "medium": (4, 26, 50, 20, 0),
    "hard": (0, 5, 35, 35, 25),
    "mixed": (3, 50, 34, 10, 3),
}
TAIL_SHARE: dict[Difficulty, float] = {"easy": 0.1, "medium": 0.4, "hard": 0.6, "mixed": 0.25}
NOT_SHARE: dict[Difficulty, float] = {"easy": 0.0, "medium": 0.1, "hard": 0.25, "mixed": 0.16}
NEGATIVE_OPERATORS = ("neq", "not_in")
OPPOSITES = {"eq": "neq", "in": "not_in"}
LOW_OPERATORS, HIGH_OPERATORS = ("gt", "gte"), ("lt", "lte")
LIMITS = (1, 2, 3, 5, 5, 10, 10, 15, 20, 25, 50, 100)


def sample_ast(vocabulary: Vocabulary, rng: random.Random, difficulty: Difficulty = "mixed") -> Ast:
    """One valid AST. `difficulty` shifts the number of conditions, the nesting and what follows the conditions."""
    tail = _tail(vocabulary, rng) if rng.random() < TAIL_SHARE[difficulty] else {}
    count = rng.choices(range(5), CONDITION_WEIGHTS[difficulty])[0]
    if not tail:
        count = max(count, 1)
    conditions = _conditions(vocabulary, count, rng)
    if conditions:
        return {"where": _combine(conditions, vocabulary, rng, NOT_SHARE[difficulty])} | tail
    return tail


def _conditions(vocabulary: Vocabulary, count: int, rng: random.Random) -> list[Ast]:
    """Up to `count` comparisons on distinct fields; fewer where the language has fewer fields."""
    names = list(vocabulary.fields)
    chosen = rng.sample(names, min(count, len(names)))
    return [_comparison(vocabulary.fields[name], rng.choice(vocabulary.fields[name].operators), rng) for name in chosen]


def _comparison(field: FieldInfo, operator: str, rng: random.Random) -> Ast:
    if operator == "between":
        value: Any = values.pair(field, rng)
    elif operator in ("in", "not_in"):
        value = values.several(field, rng)
    else:
        value = values.scalar(field, operator, rng)
    return {"field": field.name, "operator": operator, "value": value}


def _combine(conditions: list[Ast], vocabulary: Vocabulary, rng: random.Random, not_share: float) -> Ast:
    """One condition out of several; some are negated, some split in two, some grouped."""
    parts = [_split(part, vocabulary.fields[part["field"]], rng) for part in conditions]
    parts = [_negated(part, vocabulary, rng, not_share) for part in parts]
    if len(parts) == 1:
        return parts[0]
    outer, inner = ("and", "or") if rng.random() < 0.7 else ("or", "and")
    if len(parts) == 2 or rng.random() < 0.35:
        joined: Ast = {outer: _flat(outer, parts)}
        return _negated(joined, vocabulary, rng, not_share / 3)
    size = rng.randint(2, len(parts) - 1)
    group = _negated({inner: _flat(inner, parts[:size])}, vocabulary, rng, not_share / 2)
    members = [group, *parts[size:]]
    rng.shuffle(members)
    return {outer: _flat(outer, members)}


def _flat(connective: str, parts: Sequence[Ast]) -> list[Ast]:
    """The parts, with those of the same connective spread out: nobody says `(a and b) and c`."""
    return [inner for part in parts for inner in part.get(connective, [part])]


def _split(part: Ast, field: FieldInfo, rng: random.Random) -> Ast:
    """Now and then a bound becomes a range in two parts, or one value a choice of two."""
    if rng.random() > 0.12:
        return part
    lows = [operator for operator in field.operators if operator in LOW_OPERATORS]
    highs = [operator for operator in field.operators if operator in HIGH_OPERATORS]
    if part["operator"] in LOW_OPERATORS + HIGH_OPERATORS and lows and highs:
        low, high = values.pair(field, rng)
        bounds = ((rng.choice(lows), low), (rng.choice(highs), high))
        return {"and": [{"field": field.name, "operator": operator, "value": value} for operator, value in bounds]}
    if part["operator"] == "eq" and (field.type == "string" or len(field.values) > 2):
        chosen = values.several(field, rng)[:2]
        return {"or": [{"field": field.name, "operator": "eq", "value": value} for value in chosen]}
    return part


def _negated(part: Ast, vocabulary: Vocabulary, rng: random.Random, share: float) -> Ast:
    if rng.random() >= share or _is_negative(part):
        return part
    return _opposite(part, vocabulary) or {"not": part}


def _opposite(part: Ast, vocabulary: Vocabulary) -> Ast | None:
    """The comparison that says the contrary, where the language has one: one meaning, one way to write it."""
    if "field" not in part:
        return None
    if isinstance(part["value"], bool):
        return part | {"value": not part["value"]}
    operator = OPPOSITES.get(part["operator"])
    return part | {"operator": operator} if operator in vocabulary.fields[part["field"]].operators else None


def _is_negative(part: Ast) -> bool:
    """Whether something in it is negated already: nobody says `not (price is not 3)`."""
    inner = part.get("and") or part.get("or") or []
    return "not" in part or part.get("operator") in NEGATIVE_OPERATORS or any(map(_is_negative, inner))


def _tail(vocabulary: Vocabulary, rng: random.Random) -> Ast:
    """What is done with the selected rows: sorted, cut, counted, summed up or grouped."""
    kinds = [
        name
        for name, weight, offered in (
            ("sort", 4, vocabulary.sortable),
            ("top", 4, vocabulary.sortable and vocabulary.max_limit),
            ("limit", 1, vocabulary.max_limit),
            ("aggregate", 4, vocabulary.functions),
            ("group", 4, vocabulary.groupable and vocabulary.functions),
        )
        if offered
        for _ in range(weight)
    ]
    kind = rng.choice(kinds) if kinds else None
    if kind in ("sort", "top"):
        keys = _sort_keys(vocabulary, rng)
        return {"sort": keys} | ({"limit": _limit(vocabulary, rng)} if kind == "top" else {})
    if kind == "limit":
        return {"limit": _limit(vocabulary, rng)}
    groups = {"group_by": _group_fields(vocabulary, rng)} if kind == "group" else {}
    return groups | {"aggregate": _aggregate(vocabulary, rng)} if kind else {}


def _sort_keys(vocabulary: Vocabulary, rng: random.Random) -> list[Ast]:
    count = min(2 if rng.random() < 0.15 else 1, len(vocabulary.sortable), vocabulary.max_sorts)
    names = rng.sample(vocabulary.sortable, count)
    return [{"field": name, "order": rng.choice(("asc", "desc"))} for name in names]


def _limit(vocabulary: Vocabulary, rng: random.Random) -> int:
    most = vocabulary.max_limit or 1
    usual = [limit for limit in LIMITS if limit <= most]
    return rng.choice(usual) if usual and rng.random() < 0.8 else rng.randint(1, most)


def _group_fields(vocabulary: Vocabulary, rng: random.Random) -> list[str]:
    count = min(2 if rng.random() < 0.15 else 1, len(vocabulary.groupable), vocabulary.max_groups)
    return rng.sample(vocabulary.groupable, count)


def _aggregate(vocabulary: Vocabulary, rng: random.Random) -> Ast:
    function = rng.choice(vocabulary.functions)
    return (
        {"function": function}
        if function == "count"
        else {"function": function, "field": rng.choice(vocabulary.numeric)}
    )
