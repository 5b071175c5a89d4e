"""Faults of many kinds, put into clean rows, with the line of each and the kind that the gate must give it."""

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Row = dict[str, Any]
Fault = Callable[["Seeds", Row], Row | str]
"""A clean row -> the faulty one, or a line that is no row."""


class Seeds:
    """What the faults draw from: a generator, names that no row has, and clean rows by schema."""

    def __init__(self, rows: list[Row], seed: int) -> None:
        self.rng = Random(seed)
        self._count = 0
        self._by_schema: dict[str, list[Row]] = {}
        for row in rows:
            self._by_schema.setdefault(json.dumps(row["schema_json"]), []).append(row)

    def new_id(self) -> str:
        self._count += 1
        return f"seeded-{self._count}"

    def other(self, row: Row) -> Row:
        """Another row of its schema and split, with another AST."""
        rivals = [
            each
            for each in self._by_schema[json.dumps(row["schema_json"])]
            if each["split"] == row["split"] and each["ast_json"] != row["ast_json"] and each.get("is_valid", True)
        ]
        return self.rng.choice(rivals)

    def changed_word(self, text: str) -> str:
        words = text.split(" ")
        words[self.rng.randrange(len(words))] = "kindly"
        return " ".join(words)


def of_ast(change: Callable[[Seeds, Row], object]) -> Fault:
    """A fault that changes the AST in place."""

    def fault(seeds: Seeds, row: Row) -> Row:
        change(seeds, row["ast_json"])
        return row

    return fault


def set_to(**members: Any) -> Fault:
    """A fault that gives members of the row other values."""
    return lambda seeds, row: row | members


def again(change: Callable[[Seeds, Row], Row]) -> Fault:
    """The row once more under a new id, changed."""
    return lambda seeds, row: row | {ID: seeds.new_id() for ID in ("id", "query_id") if ID in row} | change(seeds, row)


def held_out(row: Row) -> str:
    return {"train": "test_seen" if "query_id" in row else "test"}.get(row["split"], "train")


def leaked(seeds: Seeds, row: Row) -> Row:
    return {"split": held_out(row)}


def leaked_changed(seeds: Seeds, row: Row) -> Row:
    return {"split": held_out(row), "query": seeds.changed_word(row["query"])}


def renamed(seeds: Seeds, row: Row) -> Row:
    """Every field under another name, in schema and AST alike: members of an order, what a query compares."""
    suffix = f"_{seeds.rng.randrange(1000)}"
    if "id" in row:
        schema, ast = _with_members(row["schema_json"], suffix), _with_keys(row["ast_json"], suffix)
        return {"split": "test", "schema_json": schema, "ast_json": ast}
    names = set(_fields(row["schema_json"]))
    schema, ast = (_with_texts(row[key], names, suffix) for key in ("schema_json", "ast_json"))
    return {"split": "test_unseen", "schema_json": schema, "ast_json": ast}


def _with_members(schema: Row, suffix: str) -> Row:
    made = {key: value for key, value in schema.items() if key != "x-invariants"}
    if "properties" in made:
        made["properties"] = {name + suffix: _with_members(each, suffix) for name, each in schema["properties"].items()}
        made["required"] = [name + suffix for name in schema["required"]]
    if "items" in made:
        made["items"] = _with_members(schema["items"], suffix)
    return made


def _with_keys(value: Any, suffix: str) -> Any:
    if isinstance(value, dict):
        return {key + suffix: _with_keys(item, suffix) for key, item in value.items()}
    return [_with_keys(item, suffix) for item in value] if isinstance(value, list) else value


def _with_texts(value: Any, names: set[str], suffix: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_texts(item, names, suffix) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_texts(item, names, suffix) for item in value]
    return value + suffix if isinstance(value, str) and value in names else value


def _fields(schema: Row) -> Iterator[str]:
    """The names that comparisons of a query language may stand for."""
    for name, node in schema["$defs"].items():
        if name.endswith("_field"):
            yield from (each["const"] for each in node.get("oneOf", [node]))
    for option in schema["$defs"]["condition"]["anyOf"]:
        field = option["properties"].get("field", {})
        yield from (each["const"] for each in field.get("oneOf", [field]) if "const" in each)


def renamed_changed(seeds: Seeds, row: Row) -> Row:
    return renamed(seeds, row) | {"query": seeds.changed_word(row["query"])}


def comparison(ast: Any) -> Row:
    """The first comparison in a query's conditions."""
    while "field" not in ast:
        ast = next(iter(ast.values())) if isinstance(ast, dict) else ast[0]
    return ast


def broken_reference(seeds: Seeds, row: Row) -> Row:
    schema = copy.deepcopy(row["schema_json"])
    schema["properties"]["more"] = {"$ref": "#/$defs/nowhere"}
    return row | {"schema_json": schema}


def swap(one: str, other: str) -> Fault:
    return of_ast(lambda seeds, ast: ast.update({one: ast[other], other: ast[one]}))


def one_cent(seeds: Seeds, ast: Row) -> None:
    ast["total"] = round(ast["total"] + seeds.rng.choice([-0.01, 0.01]), 2)


def one_cent_in_text_too(seeds: Seeds, row: Row) -> Row:
    total = row["ast_json"]["total"]
    one_cent(seeds, row["ast_json"])
    return row | {"query": row["query"].replace(f"pay {total:.2f}", f"pay {row['ast_json']['total']:.2f}")}


def wrong_element(seeds: Seeds, ast: Row) -> None:
    line = seeds.rng.choice(ast["items"])
    line["line_total"] = round(line["line_total"] + 1, 2)


def unreadable_rule(seeds: Seeds, row: Row) -> Row:
    return row | {"schema_json": row["schema_json"] | {"x-invariants": ["total === subtotal"]}}


MUTATIONS: dict[str, tuple[str, Fault]] = {
    "line cut off": ("not_json", lambda seeds, row: json.dumps(row)[: seeds.rng.randrange(20, 200)]),
    "not a number (NaN)": ("not_json", lambda seeds, row: json.dumps(row | {"ast_json": {"a": float("nan")}})),
    "AST missing": ("missing_field", lambda seeds, row: {key: row[key] for key in row if key != "ast_json"}),
    "request no text": ("wrong_type", set_to(query=123)),
    "AST a list": ("wrong_type", lambda seeds, row: row | {"ast_json": [row["ast_json"]]}),
    "reference to nowhere": ("broken_schema", broken_reference),
    "schema of no known type": ("broken_schema", set_to(schema_json={"type": "thing"})),
    "unknown member": ("invalid_positive", of_ast(lambda seeds, ast: ast.update(surprise=1))),
    "far too long": ("over_long", lambda seeds, row: row | {"query": row["query"] + " and" * 9_000}),
}
"""Of any row."""
ADDITIONS: dict[str, tuple[str, Fault]] = {
    "request in other capitals": ("duplicate", again(lambda seeds, row: {"query": f"  {row['query'].upper()}!"})),
    "another meaning": ("label_conflict", again(lambda seeds, row: {"ast_json": seeds.other(row)["ast_json"]})),
    "leaked": ("leak", again(leaked)),
    "leaked, a word changed": ("leak", again(leaked_changed)),
    "leaked, fields renamed": ("renamed_leak", again(renamed)),
    "leaked, fields renamed, a word changed": ("renamed_leak", again(renamed_changed)),
}
"""A new row beside the clean one."""
QUERY_MUTATIONS: dict[str, tuple[str, Fault]] = {
    "wrong type": ("invalid_positive", of_ast(lambda seeds, ast: ast.update(limit="ten"))),
    "member missing": ("invalid_positive", of_ast(lambda seeds, ast: comparison(ast["where"]).pop("operator"))),
    "value out of its enum": (
        "invalid_positive",
        of_ast(lambda seeds, ast: comparison(ast["where"]).update(field="?")),
    ),
}
QUERY_ADDITIONS: dict[str, tuple[str, Fault]] = {
    "negative that is valid": (
        "valid_negative",
        again(lambda seeds, row: {"is_valid": False, "positive_id": row["query_id"]}),
    ),
    "orphan negative": (
        "orphan_negative",
        again(lambda seeds, row: {"is_valid": False, "positive_id": "nobody", "ast_json": {"surprise": 1}}),
    ),
}
ORDER_MUTATIONS: dict[str, tuple[str, Fault]] = {
    "one cent": ("broken_invariant", of_ast(one_cent)),
    "one cent, in the text too": ("broken_invariant", one_cent_in_text_too),
    "amounts swapped": ("broken_invariant", swap("subtotal", "total")),
    "dates swapped": ("broken_invariant", swap("ordered_on", "due_on")),
    "one wrong element": ("broken_invariant", of_ast(wrong_element)),
    "sign": ("broken_invariant", of_ast(lambda seeds, ast: ast.update(tax=-ast["tax"]))),
    "unreadable rule": ("broken_rule", unreadable_rule),
    "wrong type": ("invalid_positive", of_ast(lambda seeds, ast: ast.update(total=str(ast["total"])))),
    "member missing": ("invalid_positive", of_ast(lambda seeds, ast: ast.pop("customer"))),
    "value out of its enum": ("invalid_positive", of_ast(lambda seeds, ast: ast.update(status="lost"))),
    "name that nobody wrote": ("ungrounded", of_ast(lambda seeds, ast: ast.update(customer="Zoltan Nagy"))),
    "number that nobody wrote": ("ungrounded", of_ast(lambda seeds, ast: ast.update(order_id="A-999999999"))),
    "declared in the other language": ("wrong_language", set_to(language="fr")),
}


def seeded(
    rows: list[Row],
    mutations: dict[str, tuple[str, Fault]],
    additions: dict[str, tuple[str, Fault]],
    each: int,
    seed: int,
) -> tuple[list[Row | str], dict[int, tuple[str, str]]]:
    """The rows with `each` faults of every name; line -> (the fault's name, the kind that it must be given).

    Every fault has a clean row of its own; new rows come last, since negatives follow their positives.
    """
    seeds = Seeds(rows, seed)
    bases = {row["positive_id"] for row in rows if row.get("positive_id")}
    free = [
        n for n, row in enumerate(rows) if row.get("is_valid", True) and row.get("query_id") not in bases and _fits(row)
    ]
    seeds.rng.shuffle(free)
    lines: list[Row | str] = [*rows]
    expected: dict[int, tuple[str, str]] = {}
    for name, (kind, fault) in [*mutations.items(), *additions.items()]:
        for _ in range(each):
            place = free.pop()
            faulty = fault(seeds, copy.deepcopy(rows[place]))
            if name in additions:
                lines.append(faulty)
                place = len(lines) - 1
            else:
                lines[place] = faulty
            expected[place + 1] = (name, kind)
    return lines, expected


def _fits(row: Row) -> bool:
    """Whether every fault can be put into it: a trained row with conditions and several words."""
    has_conditions = "id" in row or "where" in row["ast_json"]
    return row["split"] == "train" and has_conditions and len(row["query"].split()) >= 5
