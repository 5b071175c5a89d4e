"""Validation: telling messages; schemas from strangers cannot fetch, loop or stall."""

import time

import jsonschema
import pytest
from asts import ASTS, JSON
from hypothesis import given, settings
from hypothesis import strategies as st
from small_language import whole_schema

from astudent.errors import RunError
from astudent.language import linear_patterns
from astudent.language.validation import check_schema, validator_for

SCHEMA = whole_schema()
VALIDATOR = validator_for(SCHEMA)
PLAIN = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
PRICE = {"field": "price", "operator": "gt", "value": 1}


def leaves(children):
    keys = st.sampled_from(["where", "and", "or", "not", "field", "operator", "value", "limit", "sort", "order", "x"])
    return st.one_of(st.lists(children, max_size=3), st.dictionaries(keys, children, max_size=4))


ALMOST_ASTS = st.recursive(
    st.one_of(st.sampled_from(["price", "gt", "in", "new", "2024-02-30", 3, 2.5, True, None]), ASTS),
    leaves,
    max_leaves=10,
)


@settings(max_examples=80)
@given(st.one_of(ASTS, ALMOST_ASTS, JSON))
def test_agrees_with_plain_jsonschema(instance):
    assert VALIDATOR.is_valid(instance) == PLAIN.is_valid(instance)
    assert bool(VALIDATOR.problems(instance)) != PLAIN.is_valid(instance)


@pytest.mark.parametrize(
    ("ast", "message"),
    [
        ({"where": PRICE | {"operator": "contains"}}, "where.operator: 'contains' is not one of eq, neq, gt, gte, lt, lte, between"),
        ({"where": PRICE | {"field": "prix"}}, "where.field: 'prix' is not one of price, count, name, day, open, state"),
        ({"where": PRICE | {"value": "1"}}, "where.value: '1' is not of type number"),
        ({"where": {"not": {"field": "price", "value": 1}}}, "where.not: missing key 'operator'"),
        ({"where": {"field": "price", "op": "gt", "value": 1}}, "where: missing key 'operator'"),
        ({"where": PRICE | {"note": ""}}, "where: unknown key 'note'"),
        ({"where": {"and": [PRICE, {"field": "day", "operator": "eq", "value": "2024-02-30"}]}}, "where.and[1].value: '2024-02-30' is not a date"),
        ({"where": {"and": [PRICE]}}, "where.and: 1 items where at least 2 are needed"),
        ({"where": {"field": "state", "operator": "eq", "value": "gone"}}, "where.value: 'gone' is not one of new, old, lost"),
        ({"where": {"field": "count", "operator": "eq", "value": 2.5}}, "where.value: 2.5 is not of type integer"),
        ({"limit": 0}, "limit: 0 is less than the minimum 1"),
        ({"sort": [{"field": "open", "order": "asc"}]}, "sort[0].field: 'open' is not one of price, count, name, day"),
        ({"filter": 1}, "the AST: unknown key 'filter'"),
        ([], "the AST: [] is not of type object"),
    ],
)  # fmt: skip
def test_messages_say_what_to_mend(ast, message):
    assert VALIDATOR.problems(ast)[0] == message


def deep(levels):
    schema = {"type": "object"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def doubling(levels):
    steps = {f"s{i}": {"anyOf": [{"$ref": f"#/$defs/s{i + 1}"}] * 2} for i in range(levels)}
    return {"$ref": "#/$defs/s0", "$defs": steps | {f"s{levels}": {"type": "number"}}}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (3, "not a JSON Schema"),
        ([], "not a JSON Schema"),
        ({"type": "nothing"}, "not a JSON Schema"),
        ({"properties": 3}, "not a JSON Schema"),
        ({"anyOf": []}, "not a JSON Schema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "another dialect"),
        ({"$ref": "http://127.0.0.1:1/x"}, "refers outside itself"),
        ({"$ref": "file:///etc/passwd"}, "refers outside itself"),
        ({"properties": {"a": {"items": [{"$ref": "other.json"}]}}}, "refers outside itself|not a JSON Schema"),
        ({"$dynamicRef": "other#x"}, "refers outside itself"),
        ({"$defs": {"a": {"$id": "http://127.0.0.1:1/", "type": "object"}}}, "schema within a schema"),
        ({"$ref": "#/$defs/absent"}, "points nowhere"),
        ({"$ref": "#absent"}, "points nowhere"),
        ({"$ref": "#"}, "without an end"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}}, "without an end"),
        (deep(100), "nested deeper"),
        (doubling(40), "more than 5000 subschemas"),
        ({"description": "x" * 400_000}, "longer than"),
        ({"pattern": "(?=a)b"}, "cannot run in linear time"),
        ({"pattern": r"(a)\1"}, "cannot run in linear time"),
        ({"patternProperties": {"(?<!a)b": {}}}, "cannot run in linear time"),
        ({"pattern": "a" * 2000}, "pattern longer than"),
        ({"pattern": "("}, "cannot run in linear time"),
    ],
)
def test_unusable_schemas_are_refused(schema, message):
    with pytest.raises(RunError, match=message):
        check_schema(schema)


def test_data_and_names_are_not_taken_for_references():
    check_schema({"properties": {"$ref": {"type": "string"}}, "const": {"$ref": "http://127.0.0.1:1/"}})
    check_schema({"enum": [{"$id": "x"}], "$id": "urn:example:own"})
    assert validator_for({"properties": {"$ref": {"type": "string"}}}).problems({"$ref": 3}) == [
        "$ref: 3 is not of type string"
    ]


def test_recursive_schemas_may_recurse():
    schema = {"properties": {"a": {"$ref": "#"}, "n": {"type": "number"}}, "additionalProperties": False}
    assert validator_for(schema).is_valid({"a": {"a": {"n": 3}}})
    assert validator_for(schema).problems({"a": {"a": {"n": "3"}}}) == ["a.a.n: '3' is not of type number"]


def test_an_instance_that_multiplies_stops():
    schema = {"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": [k]} for k in "xy"]}
    instance = {}
    for _ in range(25):
        instance = {"a": instance}
    start = time.process_time()
    problems = validator_for({"allOf": [{"properties": {"a": {"$ref": "#"}}}] * 3}).problems(instance)
    assert problems == ["the schema needs too many steps to check this instance"]
    assert not validator_for(schema).is_valid(instance)
    assert time.process_time() - start < 20


def test_a_deep_instance_is_a_problem_not_a_crash():
    instance = {"n": 1}
    for _ in range(5000):
        instance = {"a": instance}
    schema = {"properties": {"a": {"$ref": "#"}}}
    assert validator_for(schema).problems(instance) == ["nested too deeply to be checked"]
    assert not validator_for(schema).is_valid(instance)


def test_patterns_run_in_linear_time():
    schema = {
        "properties": {"a": {"pattern": "^(a+)+$"}},
        "patternProperties": {"^x_": {"type": "number"}},
        "additionalProperties": False,
    }
    validator = validator_for(schema)
    start = time.process_time()
    assert not validator.is_valid({"a": "a" * 5000 + "!"})
    assert time.process_time() - start < 2
    assert validator.is_valid({"a": "aaa", "x_1": 3})
    assert validator.problems({"x_1": "3"}) == ["x_1: '3' is not of type number"]
    assert not validator.is_valid({"y": 3})
    assert linear_patterns.search("\\u00e9\\/", "caf\u00e9/")
