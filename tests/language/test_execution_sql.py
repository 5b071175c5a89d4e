"""Results of ASTs against the same queries written as SQL text, run by DuckDB, compared as multisets."""

import random
from collections import Counter
from typing import Any

import duckdb
from small_language import DOMAINS, condition, tail, whole_schema

from astudent.language.execution import Result, run
from astudent.language.vocabulary import read_vocabulary

TYPES = {
    "price": "DOUBLE",
    "count": "DOUBLE",
    "name": "VARCHAR",
    "day": "VARCHAR",
    "open": "BOOLEAN",
    "state": "VARCHAR",
}
SYMBOLS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
VOCABULARY = read_vocabulary(whole_schema())


def test_results_are_those_of_the_same_query_in_sql() -> None:
    rng, kinds = random.Random(8), Counter[str]()
    for _ in range(60):
        ast = {"where": condition(rng, rng.sample(list(DOMAINS), 3))} | tail(rng, list(DOMAINS))
        table = [{name: rng.choice(values) for name, values in DOMAINS.items()} for _ in range(rng.randint(0, 25))]
        (result,) = run(ast, [table], VOCABULARY)
        kinds[result.kind] += 1
        assert as_multiset(result, ast) == Counter(rows_of(ast, table)), (ast, table)
    assert len(kinds) == 3 and min(kinds.values()) > 3, "lists, groups and single values are there"


def rows_of(ast: dict[str, Any], table: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What DuckDB gives for the query as text over the table `t`, whose rows are numbered in `r`."""
    database = duckdb.connect(config={"threads": 1})
    database.execute(f"create table t (r INTEGER, {', '.join(f'{name} {kind}' for name, kind in TYPES.items())})")
    rows = (f"({number}, {', '.join(literal(row[name]) for name in TYPES)})" for number, row in enumerate(table))
    if table:
        database.execute(f"insert into t values {', '.join(rows)}")
    return [tuple(map(rounded, row)) for row in database.execute(sql(ast)).fetchall()]


def sql(ast: dict[str, Any]) -> str:
    order = ", ".join([*(f"{key['field']} {key['order']}" for key in ast.get("sort", [])), "r"])
    limit = f"limit {ast['limit']}" if "limit" in ast else ""
    chosen = f"select * from t where {text(ast['where'])} order by {order} {limit}"
    if "group_by" not in ast and "aggregate" not in ast:
        return f"select r from ({chosen})"
    aggregate = ast.get("aggregate")
    value = f"{aggregate['function']}({aggregate.get('field', '*')})" if aggregate else "null"
    groups = ", ".join(sorted(ast.get("group_by", [])))
    return (
        f"select {groups}, {value} from ({chosen}) group by {groups}" if groups else f"select {value} from ({chosen})"
    )


def text(node: dict[str, Any]) -> str:
    if "not" in node:
        return f"(not {text(node['not'])})"
    for connective in ("and", "or"):
        if connective in node:
            return "(" + f" {connective} ".join(map(text, node[connective])) + ")"
    field, operator, value = node["field"], node["operator"], node["value"]
    if operator == "between":
        return f"({field} between {literal(value[0])} and {literal(value[1])})"
    if operator in ("in", "not_in"):
        return f"({field} {operator.replace('_', ' ')} ({', '.join(map(literal, value))}))"
    if operator in SYMBOLS:
        return f"({field} {SYMBOLS[operator]} {literal(value)})"
    pattern = {"contains": f"%{value}%", "starts_with": f"{value}%", "ends_with": f"%{value}"}[operator]
    return f"({field} like {literal(pattern)})"


def literal(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def as_multiset(result: Result, ast: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    """An enumerated value stands in a group as JSON."""
    if result.kind == "rows":
        return Counter((row,) for row in result.content)
    if result.kind == "value":
        return Counter([(rounded(result.content),)])
    names = sorted(ast["group_by"])
    groups = ((dict(key), value) for key, value in result.content.items())
    return Counter((*(plain(key[name]) for name in names), rounded(value)) for key, value in groups)


def plain(value: Any) -> Any:
    return value[1:-1] if isinstance(value, str) and value.startswith('"') else value


def rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value
