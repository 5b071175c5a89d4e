"""What a grammar enforces of a schema, keyword by keyword: truth is whether llguidance lets a wrong value through, byte by byte."""

import json
from typing import Any

import jsonschema
import pytest
from llguidance import LLMatcher, LLTokenizer

from astudent.language.enforcement import Enforcement, enforcement_of, grammar_of

BYTES = LLTokenizer("byte")
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
ENFORCED: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "integer", "minimum": 3}, 5, 2),
    ({"type": "number", "exclusiveMaximum": 3}, 2, 3),
    ({"type": "number", "multipleOf": 0.5}, 1.5, 1.3),
    ({"type": "string", "minLength": 2, "maxLength": 3}, "ab", "abcd"),
    ({"type": "string", "pattern": "^a"}, "ab", "ba"),
    ({"type": "string", "format": "date"}, "2024-01-02", "2024-13-02"),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [1], []),
    ({"type": "array", "prefixItems": [{"type": "integer"}], "items": False}, [1], [1, 2]),
    (OBJECT | {"required": ["a"]}, {"a": 1}, {"b": 1}),
    (OBJECT | {"additionalProperties": False}, {"a": 1}, {"c": 1}),
    (OBJECT | {"additionalProperties": False, "maxProperties": 1}, {"a": 1}, {"a": 1, "b": 1}),
    ({"type": "object", "patternProperties": {"^a": {"type": "integer"}}}, {"a": 1}, {"ab": "x"}),
    ({"enum": ["a", 1]}, "a", "b"),
    ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, 4, 1),
    ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, 4, []),
    ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer"}}}, 4, "a"),
]
LEFT_OUT: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("uniqueItems", {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True}, [1, 2], [1, 1]),
    ("not", {"not": {"type": "integer"}}, "a", 1),
    ("if", OBJECT | {"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
    ("contains", {"type": "array", "contains": {"const": 1}}, [1], [2]),
    ("propertyNames", {"type": "object", "propertyNames": {"pattern": "^a"}}, {"a": 1}, {"b": 1}),
    ("dependentRequired", OBJECT | {"dependentRequired": {"a": ["b"]}}, {"b": 1}, {"a": 1}),
    ("unevaluatedProperties", OBJECT | {"unevaluatedProperties": False}, {"a": 1}, {"c": 1}),
    ("oneOf", {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "integer", "maximum": 5}]}, 7, 3),
]


def lets_through(schema: dict[str, Any], value: Any) -> bool:
    """Whether the value, without spaces, is a whole text of the schema's grammar."""
    matcher = LLMatcher(BYTES, grammar_of(schema), log_level=0)
    text = list(json.dumps(value, separators=(",", ":")).encode())
    return matcher.try_consume_tokens(text) == len(text) and matcher.is_accepting()


@pytest.mark.parametrize(("schema", "right", "wrong"), ENFORCED)
def test_what_is_not_named_as_left_out_is_enforced(schema: dict[str, Any], right: Any, wrong: Any) -> None:
    assert enforcement_of(schema) == Enforcement((), None)
    assert (lets_through(schema, right), lets_through(schema, wrong)) == (True, False) == judged(schema, right, wrong)


@pytest.mark.parametrize(("keyword", "schema", "right", "wrong"), LEFT_OUT)
def test_what_lets_wrong_values_through_is_named(keyword: str, schema: dict[str, Any], right: Any, wrong: Any) -> None:
    found = enforcement_of(schema)
    assert found.refused is None and len(found.left_out) == 1 and keyword in found.left_out[0]
    assert lets_through(schema, right) and lets_through(schema, wrong) and judged(schema, right, wrong) == (True, False)


def judged(schema: dict[str, Any], *values: Any) -> tuple[bool, ...]:
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return tuple(map(validator.is_valid, values))


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "string", "pattern": "^(?=a)b"}, "look-around"),
        ({"type": "object", "properties": {"a": False}, "required": ["a"]}, "unsatisfiable"),
        ({"$ref": "http://example.org/a"}, "refers outside itself"),
    ],
)
def test_what_has_no_grammar_says_why(schema: dict[str, Any], reason: str) -> None:
    found = enforcement_of(schema)
    assert found.left_out == () and found.refused is not None and reason in found.refused


def test_a_schema_too_deep_is_refused_before_it_is_compiled() -> None:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema}
    assert "deeper" in (enforcement_of(schema).refused or "")
