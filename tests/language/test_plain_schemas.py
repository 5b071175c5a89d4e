import copy
import random
from typing import Any

import jsonschema
import pytest

from astudent.language.plain_schemas import is_plainly_valid

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "orders",
    "x-labels": {"fr": "commandes"},
    "type": "object",
    "properties": {"where": {"$ref": "#/$defs/condition"}, "limit": {"type": "integer", "minimum": 1, "maximum": 50}},
    "required": ["where"],
    "additionalProperties": False,
    "$defs": {
        "condition": {"anyOf": [{"const": {"any": "thing"}}, {"type": "array", "items": True, "minItems": 2}]},
        "status": {"oneOf": [{"const": "paid", "x-labels": {"fr": "payée"}}, {"enum": ["open", 3]}]},
        "day": {"type": "string", "format": "date", "minLength": 1},
    },
}
JUNK: list[Any] = [None, True, -1, 1.5, "", "x", "string", [], ["a", "a"], [{}], [3], {}, {"a": 3}, {"type": "text"}]


def test_a_plain_schema_is_known():
    assert is_plainly_valid(SCHEMA)


@pytest.mark.parametrize("keyword", ["patternProperties", "pattern", "$id", "if", "unevaluatedItems", "dialect"])
def test_what_it_does_not_know_is_left_to_the_slow_check(keyword: str):
    assert not is_plainly_valid({keyword: {}})


def test_what_it_calls_valid_the_metaschema_calls_valid():
    metaschema = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
    rng = random.Random(5)
    broken = 0
    for _ in range(150):
        schema = _with_one_change(SCHEMA, rng)
        valid = metaschema.is_valid(schema)
        broken += not valid
        assert valid or not is_plainly_valid(schema), schema
    assert broken > 30


def _with_one_change(schema: Any, rng: random.Random) -> Any:
    """A copy with junk put somewhere inside."""
    schema = copy.deepcopy(schema)
    places: list[tuple[Any, Any]] = []
    stack = [schema]
    while stack:
        node = stack.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            places.append((node, key))
            if isinstance(node[key], dict | list):
                stack.append(node[key])
    node, key = rng.choice(places)
    node[key] = copy.deepcopy(rng.choice(JUNK))
    return schema
