"""Queries in Spider's numbers: what binds before what, and numbers that mean nothing."""

import copy
import json
from typing import Any

import pytest
from sample_sets import SAMPLES

from astudent.importing.databases import query_schema
from astudent.importing.parsed_sql import query_answer
from astudent.importing.scope import RejectedError
from astudent.language.validation import validator_for

DATABASE = json.loads((SAMPLES / "tables.json").read_text())[0]
PLAIN = json.loads((SAMPLES / "spider.json").read_text())[0]["sql"]


def age(value: int, number: int = 3) -> list[Any]:
    return [False, number, [0, [0, 3, False], None], value, None]


def named(value: int) -> dict[str, Any]:
    return {"left": {"column": "singer.Age"}, "operator": ">", "value": value}


@pytest.mark.parametrize(
    ("conditions", "meant"),
    [
        ([age(1)], named(1)),
        ([age(1), "and", age(2), "and", age(3)], {"and": [named(1), named(2), named(3)]}),
        ([age(1), "or", age(2), "and", age(3)], {"or": [named(1), {"and": [named(2), named(3)]}]}),
        ([age(1), "and", age(2), "or", age(3)], {"or": [{"and": [named(1), named(2)]}, named(3)]}),
    ],
)
def test_and_binds_before_or(conditions: Any, meant: Any):
    query = query_answer(PLAIN | {"where": conditions}, DATABASE)
    assert query["where"] == meant and validator_for(query_schema(DATABASE)).problems(query) == []


def test_queries_within_queries():
    inner = copy.deepcopy(PLAIN)
    source = {"conds": [], "table_units": [["sql", inner]]}
    query = query_answer(PLAIN | {"from": source, "union": inner, "limit": 2}, DATABASE)
    assert query["from"] == [{"query": query["union"]}] and list(query)[-1] == "union"
    assert validator_for(query_schema(DATABASE)).problems(query) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"where": [age(1, 12)]}, "operator 12, which is none"),
        ({"where": [age(1, 0)]}, "operator of number 0"),
        ({"where": [age(1), "and"]}, "not joined one by one"),
        ({"where": [age(1), age(2)]}, "not joined one by one"),
        ({"where": ["or", age(2)]}, "not joined one by one"),
        ({"where": [[False, 3, [0, [0, 3, False], None], None, None]]}, "without a value"),
        ({"where": [[False, 3, [1, [0, 3, False], None], 1, None]]}, "with one side"),
        ({"groupBy": [[0, 99, False]]}, "column 99, and the database has 7"),
        ({"groupBy": [[0, -1, False]]}, "column -1"),
        ({"groupBy": [[7, 1, False]]}, "function 7"),
        ({"from": {"conds": [], "table_units": [["table_unit", 2]]}}, "table 2, and the database has 2"),
        ({"select": [False, "x"]}, "not parsed SQL: select"),
    ],
)
def test_numbers_that_mean_nothing(changed: Any, reason: str):
    with pytest.raises(RejectedError, match=reason):
        query_answer(PLAIN | changed, DATABASE)
