"""Small changes of an AST that most often change what it means: the slips that a model makes under a schema it keeps to."""

import copy
import datetime
from collections.abc import Callable
from random import Random
from typing import Any

from ast_parts import conditions_in
from random_languages import comparison

from astudent.language.sampling import sample_ast
from astudent.language.vocabulary import Vocabulary

Ast = dict[str, Any]
LISTS = ("in", "not_in", "between")


def mutated(ast: Ast, vocabulary: Vocabulary, rng: Random) -> tuple[Ast, str]:
    """The AST with one change, and its name. It may break the schema, and may mean the same after all."""
    while True:
        changed, name = copy.deepcopy(ast), rng.choice(list(MUTATIONS))
        if MUTATIONS[name](changed, vocabulary, rng) and changed:
            return changed, name


def _one(ast: Ast, rng: Random, *keys: str) -> Ast:
    found = [node for node in conditions_in(ast) if any(key in node for key in keys)]
    return rng.choice(found) if found else {}


def operator(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """Another operator that takes the same value."""
    node = _one(ast, rng, "field")
    if not node:
        return False
    others = [name for name in vocabulary.fields[node["field"]].operators if name != node["operator"]]
    fitting = [name for name in others if (name in LISTS) == (node["operator"] in LISTS)]
    if fitting:
        node["operator"] = rng.choice(fitting)
    return bool(fitting)


def value(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """A value a little beside, or another one at all; of a list one more or one less."""
    node = _one(ast, rng, "field")
    if not node:
        return False
    field = vocabulary.fields[node["field"]]
    if rng.random() < 0.3:
        node["value"] = comparison(field, node["operator"], rng)["value"]
    elif isinstance(node["value"], list):
        place = rng.randrange(len(node["value"]))
        if node["operator"] != "between" and len(node["value"]) > 1 and rng.random() < 0.5:
            del node["value"][place]
        else:
            node["value"][place] = _beside(node["value"][place], field.type, field, rng)
    else:
        node["value"] = _beside(node["value"], field.type, field, rng)
    return True


def _beside(old: Any, kind: str, field: Any, rng: Random) -> Any:
    if kind == "boolean":
        return not old
    if kind == "enum":
        return rng.choice(field.values)[0]
    if kind == "date":
        return (datetime.date.fromisoformat(old) + datetime.timedelta(days=rng.choice((-1, 1, 30)))).isoformat()
    if kind == "string":
        return rng.choice((old[:-1] or "x", old[1:] or "x", old + "s", old.swapcase(), old.title()))
    return old + rng.choice((-1, 1)) if kind == "integer" else round(old + rng.choice((-1, 1, 0.5, 0.01, 10)), 2)


def field(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """Another field of the same type."""
    node = _one(ast, rng, "field")
    if not node:
        return False
    kind = vocabulary.fields[node["field"]].type
    others = [name for name, info in vocabulary.fields.items() if info.type == kind and name != node["field"]]
    if others:
        node["field"] = rng.choice(others)
    return bool(others)


def connective(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    node = _one(ast, rng, "and", "or")
    if node:
        old, new = ("and", "or") if "and" in node else ("or", "and")
        node[new] = node.pop(old)
    return bool(node)


def negation(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """One more, or one less."""
    node = _one(ast, rng, "field", "and", "or", "not")
    if node:
        inner = node["not"] if "not" in node else {"not": dict(node)}
        node.clear()
        node.update(inner)
    return bool(node)


def part_lost(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    node = _one(ast, rng, "and", "or")
    if not node:
        return "where" in ast and ast.pop("where") is not None
    [(key, parts)] = node.items()
    lost = rng.randrange(len(parts))
    kept = [part for place, part in enumerate(parts) if place != lost]
    node.clear()
    node.update(kept[0] if len(kept) == 1 else {key: kept})
    return True


def part_added(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    info = vocabulary.fields[rng.choice(list(vocabulary.fields))]
    added = comparison(info, rng.choice(info.operators), rng)
    ast["where"] = {rng.choice(("and", "or")): [ast["where"], added]} if "where" in ast else added
    return True


def bracket_moved(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """(a or b) and c as a or (b and c)."""
    for node in conditions_in(ast):
        for outer, inner in (("and", "or"), ("or", "and")):
            if outer in node and inner in node[outer][0] and len(node[outer][0][inner]) == 2:
                (first, second), rest = node[outer][0][inner], node[outer][1:]
                node.clear()
                node.update({inner: [first, {outer: [second, *rest]}]})
                return True
    return False


def sort(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """Turned round, by another field, its keys exchanged, or gone."""
    if "sort" not in ast:
        return False
    key = rng.choice(ast["sort"])
    match rng.randrange(4):
        case 0:
            key["order"] = "asc" if key["order"] == "desc" else "desc"
        case 1:
            key["field"] = rng.choice(vocabulary.sortable)
        case 2:
            ast["sort"].reverse()
        case _:
            del ast["sort"]
    return True


def limit(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    if "limit" not in ast or rng.random() < 0.2:
        return vocabulary.max_limit is not None and not ast.update(limit=rng.randint(1, vocabulary.max_limit))
    if rng.random() < 0.3:
        del ast["limit"]
    else:
        ast["limit"] += rng.choice((-1, 1))
    return True


def summary(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """Another function, another field to be summed up, other groups."""
    if "aggregate" not in ast and "group_by" not in ast:
        return False
    part = rng.choice([key for key in ("aggregate", "group_by") if key in ast])
    if part == "group_by":
        ast["group_by"] = rng.sample(vocabulary.groupable, rng.randint(1, min(2, len(vocabulary.groupable))))
    elif rng.random() < 0.5 and "field" in ast["aggregate"]:
        ast["aggregate"]["field"] = rng.choice(vocabulary.numeric)
    else:
        name = rng.choice(vocabulary.functions)
        ast["aggregate"] = {"function": name} | ({} if name == "count" else {"field": rng.choice(vocabulary.numeric)})
    return True


def tail(ast: Ast, vocabulary: Vocabulary, rng: Random) -> bool:
    """What follows the conditions, drawn anew."""
    for key in ("sort", "limit", "aggregate", "group_by"):
        ast.pop(key, None)
    drawn = sample_ast(vocabulary, rng, "hard")
    ast.update({key: part for key, part in drawn.items() if key != "where"})
    return True


MUTATIONS: dict[str, Callable[[Ast, Vocabulary, Random], bool]] = {
    function.__name__: function
    for function in (
        *(operator, value, field, connective, negation, part_lost, part_added, bracket_moved),
        *(sort, limit, summary, tail),
    )
}
