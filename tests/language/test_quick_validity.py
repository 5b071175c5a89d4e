"""A quick yes is a yes of jsonschema too, and plain schemas get one."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astudent.language.quick_validity import QuickValidity
from astudent.language.validation import FORMATS

LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "", "a", "ab", "2026-01-02"])
INSTANCES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "enum": st.lists(LEAVES, min_size=1, max_size=3),
        "const": LEAVES,
        "minimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "minLength": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "pattern": st.sampled_from(["^a", "b$"]),
        "format": st.just("date"),
        "required": st.lists(st.sampled_from("ab"), unique=True),
        "uniqueItems": st.booleans(),
        "$ref": st.just("#/$defs/x"),
    },
)
SCHEMAS = st.recursive(
    PLAIN | st.booleans(),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "not": inner,
            **{name: st.lists(inner, min_size=1, max_size=2) for name in ("anyOf", "oneOf", "allOf")},
        },
    ),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(SCHEMAS, INSTANCES)
def test_what_is_surely_valid_is_valid(schema: Any, instance: Any):
    whole = {"allOf": [schema], "$defs": {"x": {"type": ["string", "integer", "object"]}}}
    if QuickValidity(whole, FORMATS)(instance):
        jsonschema.Draft202012Validator(whole, format_checker=FORMATS).validate(instance)


TREE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"oneOf": [{"const": "a", "x-labels": {"fr": "b"}}, {"const": "c"}]},
        "day": {"type": "string", "format": "date", "pattern": "^2"},
        "children": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2},
    },
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ({"name": "a", "day": "2026-01-02", "children": [{"name": "c"}, {"name": "a", "children": []}]}, True),
        ({"name": "b"}, False),
        ({"name": "a", "day": "2026-13-02"}, False),
        ({"name": "a", "children": [{"name": "c", "more": 1}]}, False),
        ({"children": []}, False),
    ],
)
def test_plain_schemas_get_a_quick_answer(instance: Any, expected: bool):
    assert QuickValidity(TREE, FORMATS)(instance) is expected
