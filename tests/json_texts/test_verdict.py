"""What is said of a text: grammar, repeated names, the schema."""

import json
from typing import Any

import pytest
from hypothesis import given
from json_strategies import VALUES, written

from astudent.json_texts.verdict import judge, plain
from astudent.language.validation import validator_for
from astudent.roles.scan import scan

SCHEMA = {"properties": {"a": {"items": {"type": "integer"}}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1]}', []),
        ('{"a": [1, "x"]}', [("schema", "a[1]")]),
        ("{}", [("schema", "")]),
        ('{"a": NaN}', [("syntax", "")]),
        ('{"a": [], "b": {"c": 1, "c": 2, "c": 3}}', [("repeated name", "b")] * 2),
        ('{"a": [], "b.c": {"": {"x": 1, "x": 2}}}', [("repeated name", '["b.c"][""]')]),
        ("[" * 600 + "]" * 600, [("syntax", "")]),
    ],
)
def test_problems_and_their_places(text: str, expected: list[tuple[str, str]]) -> None:
    problems = judge(text, validator_for(SCHEMA)).problems
    assert [(problem.kind, problem.path) for problem in problems] == expected


def test_without_a_schema_only_grammar_and_names_count() -> None:
    assert judge("{}").is_valid and not judge("{").is_valid and not judge('{"a":1,"a":1}').is_valid


@given(VALUES)
def test_plain_is_what_the_standard_parser_reads(value: Any) -> None:
    text = written(value)
    root = scan(text).root
    assert root is not None and json.dumps(plain(root)) == json.dumps(json.loads(text))
