"""A language over small domains, and pairs of ASTs in it that are often nearly or exactly the same."""

import copy
import itertools
import json
from pathlib import Path

from astudent.language.schema import build_schema, load_catalog, load_template
from astudent.records import DomainSpec, EnumValue, FieldSpec, MadeBy

ROOT = Path(__file__).parents[2]
CATALOG = load_catalog(ROOT / "data/operator_catalog.json")
TEMPLATE = load_template(ROOT / "data/base_schema_template.json")

TEXTS = ["", *("".join(letters) for size in range(1, 5) for letters in itertools.product("abx", repeat=size))]
# beyond and between all constants (and one more, see `respelled`) there are two values, to be sorted and summed up
PRICES = [-1, 0, 0.5, 1, 1.25, 1.5, 2, 2.2, 2.4, 2.5, 2.7, 2.8, 3, 3.2, 3.3, 3.5, 3.7, 3.8, 4, 4.25, 4.5, 5, 5.5, 6]
DOMAINS = {
    "price": PRICES,
    "count": list(range(-2, 9)),
    "name": TEXTS,
    "day": [f"2024-02-{day:02d}" for day in range(25, 30)] + ["2024-03-01", "2024-03-02", "2024-03-03"],
    "open": [True, False],
    "state": ["new", "old", "lost"],
}
CONSTANTS = {
    "price": [1, 2, 2.5, 4],
    "count": [1, 2, 4],
    "name": ["a", "b", "ab", "ba"],
    "day": ["2024-02-28", "2024-02-29", "2024-03-01"],
    "open": [True, False],
    "state": ["new", "old", "lost"],
}
ORDERED = ("eq", "neq", "gt", "gte", "lt", "lte", "between")
OPERATORS = {
    "price": ORDERED,
    "count": ORDERED,
    "day": ORDERED,
    "name": ("eq", "neq", "in", "not_in", "contains", "starts_with", "ends_with"),
    "open": ("eq",),
    "state": ("eq", "neq", "in", "not_in"),
}


def spec(**changes):
    """A domain spec with a field of each type."""
    kinds = {"price": "number", "count": "integer", "name": "string", "day": "date", "open": "boolean", "state": "enum"}
    fields = [
        FieldSpec(
            name=name,
            type=kind,  # pyright: ignore[reportArgumentType]
            label_fr=f"{name}_fr",
            values=[EnumValue(value=value) for value in DOMAINS[name]] if kind == "enum" else [],
        )
        for name, kind in kinds.items()
    ]
    rows = {
        "schema_id": "small-00", "domain_id": "small", "domain": "small", "variant": 0, "entity_en": "thing",
        "entity_fr": "chose", "fields": fields, "examples": [], "made_by": MadeBy(provider="embedded", model="embedded"),
    }  # fmt: skip
    return DomainSpec(**(rows | changes))


class EveryPart:
    """Stands in for a random generator where a test wants a schema with every operator and every part."""

    def random(self):
        return 0.0

    def randint(self, low, high):
        return high

    def sample(self, population, size):
        return list(population)[:size]

    def choice(self, options):
        return options[-1]


def whole_schema():
    """The schema with every operator, sorting, limit, grouping and all aggregates."""
    schema, _ = build_schema(spec(), CATALOG, TEMPLATE, EveryPart(), 12, 12)  # pyright: ignore[reportArgumentType]
    return schema


def comparison(rng, field=None):
    field = field or rng.choice(list(DOMAINS))
    operator = rng.choice(OPERATORS[field])
    if operator == "between":
        value = [rng.choice(CONSTANTS[field]), rng.choice(CONSTANTS[field])]
    elif operator in ("in", "not_in"):
        value = rng.choices(CONSTANTS[field], k=rng.randint(1, 3))
    else:
        value = rng.choice(CONSTANTS[field])
    return {"field": field, "operator": operator, "value": value}


def condition(rng, fields, depth=2):
    draw = rng.random()
    if depth == 0 or draw < 0.4:
        return comparison(rng, rng.choice(fields))
    if draw < 0.55:
        return {"not": condition(rng, fields, depth - 1)}
    return {rng.choice(("and", "or")): [condition(rng, fields, depth - 1) for _ in range(rng.randint(2, 3))]}


def tail(rng, fields):
    result = {}
    if rng.random() < 0.35:
        names = rng.sample(fields, rng.randint(1, min(2, len(fields))))
        names = [name for name in names if name not in ("open", "state")] or ["price"]
        result["sort"] = [{"field": name, "order": rng.choice(("asc", "desc"))} for name in names]
    if rng.random() < 0.3:
        result["limit"] = rng.randint(1, 3)
    if rng.random() < 0.3:
        groups = [name for name in fields if name in ("open", "state", "name")]
        if groups and rng.random() < 0.6:
            result["group_by"] = rng.sample(groups, rng.randint(1, min(2, len(groups))))
        if "group_by" not in result or rng.random() < 0.8:
            function = rng.choice(("count", "sum", "avg", "min", "max"))
            field = {} if function == "count" else {"field": rng.choice(("price", "count"))}
            result["aggregate"] = {"function": function} | field
    return result


def pair(rng):
    """Two valid ASTs: the second is drawn anew, or is the first rewritten, or nearly rewritten."""
    fields = rng.sample(list(DOMAINS), rng.randint(1, 3))
    first = {"where": condition(rng, fields)} | tail(rng, fields)
    if rng.random() < 0.1:
        del first["where"]
    if not first or rng.random() < 0.1:
        return first, {"where": condition(rng, fields)} | tail(rng, fields)
    second = copy.deepcopy(first)
    if "where" in second:
        second["where"] = rewritten(second["where"], rng)
    if rng.random() < 0.45:
        second = nearly(second, rng, fields)
    return first, second


def rewritten(node, rng):
    """Another spelling of the same condition, where the spelling is right (`gt 1` on integers as `gte 2`...)."""
    for connective, dual in (("and", "or"), ("or", "and")):
        if connective in node:
            parts = [rewritten(part, rng) for part in rng.sample(node[connective], len(node[connective]))]
            if rng.random() < 0.3:
                return {"not": {dual: [{"not": part} for part in parts]}}
            return {connective: parts + ([copy.deepcopy(parts[0])] if rng.random() < 0.2 else [])}
    if "not" in node:
        return {"not": rewritten(node["not"], rng)}
    if rng.random() < 0.2:
        return {"not": {"not": node}}
    return respelled(node, rng)


def respelled(node, rng):
    field, operator, value = node["field"], node["operator"], node["value"]
    opposite = {
        "eq": "neq",
        "neq": "eq",
        "gt": "lte",
        "lte": "gt",
        "lt": "gte",
        "gte": "lt",
        "in": "not_in",
        "not_in": "in",
    }
    if rng.random() < 0.4 and opposite.get(operator) in OPERATORS[field]:
        return {"not": node | {"operator": opposite[operator]}}
    if operator == "between" and rng.random() < 0.5:
        ends = (("gte", value[0]), ("lte", value[1]))
        return {"and": [{"field": field, "operator": end, "value": bound} for end, bound in ends]}
    if operator == "gt" and rng.random() < 0.5:
        # right for whole numbers, wrong for others: a near-miss for those
        return node if field == "day" else node | {"operator": "gte", "value": value + 1}
    if operator == "in" and len(set(value)) > 1 and rng.random() < 0.5:
        return {"or": [{"field": field, "operator": "eq", "value": item} for item in value]}
    return node


def nearly(ast, rng, fields):
    """One small change somewhere."""
    ast = json.loads(json.dumps(ast))
    places = []

    def walk(node):
        if isinstance(node, dict):
            places.append(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(ast)
    place = rng.choice(places)
    if "operator" in place:
        place.update(comparison(rng, place["field"]) if rng.random() < 0.7 else comparison(rng, rng.choice(fields)))
    elif "order" in place:
        place["order"] = "asc" if place["order"] == "desc" else "desc"
    elif "function" in place:
        place.clear()
        place.update({"function": rng.choice(("sum", "avg", "min", "max")), "field": rng.choice(("price", "count"))})
    elif "and" in place or "or" in place:
        old, new = ("and", "or") if "and" in place else ("or", "and")
        place[new] = place.pop(old)
    elif "not" in place and len(place) == 1:
        place.update(place.pop("not"))
    else:
        for key in ("sort", "limit", "group_by", "aggregate"):
            place.pop(key, None)
        place.update(tail(rng, fields))
    return ast or {"limit": 1}
