"""Truth for the tests of meaning: a plain interpreter of ASTs that shares no code with the package.

It looks at every row of small domains, then at many small tables; it knows nothing about edges or canonical forms.
"""

import itertools
import unicodedata


def takes(condition, row):
    """Whether a condition holds on one row (a dict of field values; dates are ISO strings)."""
    if condition is None:
        return True
    if "and" in condition:
        return all(takes(part, row) for part in condition["and"])
    if "or" in condition:
        return any(takes(part, row) for part in condition["or"])
    if "not" in condition:
        return not takes(condition["not"], row)
    left, right = composed(row[condition["field"]]), composed(condition["value"])
    return OPERATORS[condition["operator"]](left, right)


OPERATORS = {
    "eq": lambda left, right: left == right,
    "neq": lambda left, right: left != right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "between": lambda left, right: right[0] <= left <= right[1],
    "in": lambda left, right: any(left == item for item in right),
    "not_in": lambda left, right: all(left != item for item in right),
    "contains": lambda left, right: left.find(right) >= 0,
    "starts_with": lambda left, right: left[: len(right)] == right,
    "ends_with": lambda left, right: right == "" or left[-len(right) :] == right,
}


def composed(value):
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    return [composed(item) for item in value] if isinstance(value, list) else value


def answer(ast, table):
    """What a query gives on a table (a list of rows): row numbers, groups with values, or a value."""
    chosen = [number for number, row in enumerate(table) if takes(ast.get("where"), row)]
    for key in reversed(ast.get("sort", [])):
        # Python's sort is stable in both directions
        chosen.sort(key=lambda number: table[number][key["field"]], reverse=key["order"] == "desc")
    if "limit" in ast:
        chosen = chosen[: ast["limit"]]
    if "group_by" in ast:
        groups = {}
        for number in chosen:
            name = frozenset((field, table[number][field]) for field in ast["group_by"])
            groups.setdefault(name, []).append(number)
        return {name: summary(ast.get("aggregate"), members, table) for name, members in groups.items()}
    return summary(ast["aggregate"], chosen, table) if "aggregate" in ast else chosen


def summary(aggregate, numbers, table):
    if aggregate is None:
        return None
    if aggregate["function"] == "count":
        return len(numbers)
    values = [table[number][aggregate["field"]] for number in numbers]
    if not values:
        return None
    total = {"sum": sum(values), "avg": sum(values) / len(values), "min": min(values), "max": max(values)}
    return round(total[aggregate["function"]], 9)


def fields_of(node):
    """Every field that an AST names."""
    if isinstance(node, list):
        return set().union(*map(fields_of, node))
    if not isinstance(node, dict):
        return set()
    own = {node["field"]} if isinstance(node.get("field"), str) else set()
    groups = set(node.get("group_by", []))
    return own | groups | fields_of(list(node.values()))


def same_meaning(a, b, domains, rng, tables=150):
    """Whether two ASTs agree on every single row of the domains, and on many tables of rows that they take."""
    if kind(a) != kind(b):
        return False
    names = sorted(fields_of(a) | fields_of(b))
    rows = [dict(zip(names, values, strict=True)) for values in itertools.product(*(domains[name] for name in names))]
    taken = []
    for row in rows:
        first = takes(a.get("where"), row)
        if first != takes(b.get("where"), row):
            return False
        if first:
            taken.append(row)
    if {**a, "where": 0} == {**b, "where": 0}:
        return True
    for number in range(tables):
        size = rng.randint(0, 6) if number else max(a.get("limit", 0), b.get("limit", 0)) + 3
        source = taken if number % 3 else neighbours(rng.choice(taken), taken, rng) if taken else []
        table = [rng.choice(source) for _ in range(size)] if source else []
        if answer(a, table) != answer(b, table):
            return False
    return True


def neighbours(row, rows, rng):
    """Rows that differ from `row` in one field at most: else no two rows of a wide domain ever share a group."""
    free = rng.choice(sorted(row)) if row else None
    return [other for other in rows if all(other[name] == row[name] for name in row if name != free)]


def kind(ast):
    return "groups" if "group_by" in ast else "value" if "aggregate" in ast else "rows"
