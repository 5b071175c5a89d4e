"""One spelling for each AST, and a reader that no text hurts."""

import json

import pytest
from asts import ASTS, JSON
from hypothesis import given
from hypothesis import strategies as st
from small_language import whole_schema

from astudent.language.serialise import MAX_CHARACTERS, MAX_DEPTH, parse_ast, plain_numbers, serialise

SCHEMA = whole_schema()


def in_other_order(node, rng):
    if isinstance(node, list):
        return [in_other_order(part, rng) for part in node]
    if not isinstance(node, dict):
        return node
    return {key: in_other_order(value, rng) for key, value in rng.sample(list(node.items()), len(node))}


@given(ASTS, st.randoms(use_true_random=False))
def test_round_trip_and_one_spelling(ast, rng):
    text = serialise(ast, SCHEMA)
    assert parse_ast(text) == (plain_numbers(ast), None)
    assert serialise(in_other_order(ast, rng), SCHEMA) == text
    assert serialise(parse_ast(text)[0], SCHEMA) == text


def test_keys_stand_in_the_order_of_the_schema():
    ast = {
        "limit": 3.0,
        "sort": [{"order": "asc", "field": "price"}],
        "where": {"value": "é\n", "operator": "eq", "field": "name"},
    }
    assert serialise(ast, SCHEMA) == (
        '{"where":{"field":"name","operator":"eq","value":"é\\n"},"sort":[{"field":"price","order":"asc"}],"limit":3}'
    )


@given(JSON)
def test_any_json_can_be_spelled(value):
    assert json.loads(serialise(value, SCHEMA)) == plain_numbers(value)


def test_foreign_schemas_and_broken_asts():
    schema = {
        "properties": {
            "b": {"allOf": [{"$ref": "#/$defs/pair"}]},
            "a": {
                "type": "array",
                "prefixItems": [{"properties": {"y": {}, "x": {}}}],
                "items": {"$ref": "#/$defs/pair"},
            },
        },
        "$defs": {"pair": {"properties": {"n": True, "m": {"type": "number"}}}, "loop": {"$ref": "#/$defs/loop"}},
    }
    value = {"a": [{"x": 1, "y": 2}, {"m": 1, "n": 2}], "z": 0, "b": {"m": 1.50, "n": 1e3, "extra": None}}
    assert serialise(value, schema) == '{"b":{"n":1000,"m":1.5,"extra":null},"a":[{"y":2,"x":1},{"n":2,"m":1}],"z":0}'
    assert serialise({"b": 1, "a": 2}, {"$ref": "#/$defs/loop", **schema}) == '{"b":1,"a":2}'
    assert serialise({"b": 1}, {"$ref": "elsewhere"}) == '{"b":1}'
    assert serialise({"where": {"x": 1, "field": 2}}, SCHEMA) == '{"where":{"field":2,"x":1}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("\ufeff{}", "not JSON"),
        ('{"a":1}}', "not JSON"),
        ("[]", "not an object but an array"),
        ("null", "not an object but null"),
        ("true", "not an object but a boolean"),
        ('"x"', "not an object but a string"),
        ("3", "not an object but a number"),
        ('{"a":NaN}', "NaN is no JSON number"),
        ('{"a":-Infinity}', "-Infinity is no JSON number"),
        ('{"a":1e999}', "too large"),
        ('{"a":' + "9" * 5000 + "}", "too large"),
        ('{"a":9007199254740992}', "too large"),
        ('{"a":1,"b":2,"a":1}', "key 'a' is there twice"),
        ('{"x":{"a":1,"a":2}}', "key 'a' is there twice"),
        ('{"a":"\\ud800"}', "surrogate"),
        ('{"\\udc00":1}', "surrogate"),
        ('{"a":' + "[" * 100_000, "longer than"),
        ('{"a":' + "[" * 100, "nested deeper"),
        ('{"a":' * 20_000, "longer than"),
        ("[" * 40_000, "nested deeper"),
        ('{"a":"' + "[" * MAX_DEPTH * 2 + '"}', None),
        ('{"a":"\\"' + "[" * MAX_DEPTH * 2 + '"}', None),
        ('{"a":"' + "x" * MAX_CHARACTERS + '"}', "longer than"),
        ('{"a":"\\ud83d\\ude00"}', None),
        ('{"a":9007199254740991}', None),
    ],
)
def test_hostile_text(text, message):
    ast, error = parse_ast(text)
    if message is None:
        assert error is None and isinstance(ast, dict)
    else:
        assert ast is None and error is not None and message in error and "\n" not in error


@given(st.text(max_size=60))
def test_no_text_raises(text):
    ast, error = parse_ast(text)
    assert (ast is None) != (error is None)


@given(st.binary(max_size=12), st.randoms(use_true_random=False))
def test_no_damage_raises(noise, rng):
    text = '{"where":{"field":"name","operator":"eq","value":"\\u00e9"},"limit":3}'
    for byte in noise:
        place = rng.randrange(len(text))
        text = text[:place] + chr(byte) + text[place + rng.randint(0, 2) :]
    ast, error = parse_ast(text)
    assert (ast is None) != (error is None)


def test_numbers_have_one_form():
    values = [5.0, -0.0, 1e15, 1e300, 0.1, 10**15, 2.50]
    assert serialise(values, {}) == "[5,0,1000000000000000,1e+300,0.1,1000000000000000,2.5]"
    assert serialise([True, False, None], {}) == "[true,false,null]"
