"""Descriptions of parameters in the dialects of public sets, as JSON Schema."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.importing.function_calls import calls_answer, calls_schema
from astudent.importing.parameter_types import node_schema, parameters_schema
from astudent.importing.scope import RejectedError
from astudent.language.validation import check_schema

ANY: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("described", "schema"),
    [
        ("str", {"type": "string"}),
        ("float", {"type": "number"}),
        ("HashMap", {"type": "object"}),
        ("any", ANY),
        ("str, optional", {"type": "string"}),
        ("int, default 5", {"type": "integer"}),
        ("Optional[int]", {"type": "integer"}),
        ("List[int]", {"type": "array", "items": {"type": "integer"}}),
        ("list", {"type": "array"}),
        ("Dict[str, Any]", {"type": "object"}),
        ("typing.List[typing.Dict[str, int]]", {"type": "array", "items": {"type": "object"}}),
        ("Union[int, str]", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ("int | None", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("Tuple[float, float]", {"type": "array", "items": {"type": "number"}}),
        ("List[Union[int, Any]]", {"type": "array"}),
        (["string", "null"], {"type": ["string", "null"]}),
    ],
)
def test_types(described: Any, schema: Any):
    assert node_schema({"type": described}) == schema


@pytest.mark.parametrize(
    "described", ["Foo", "List[", "List[int", "]", "", "[int]", "int int", "x" * 201, 5, "Callable[[int], str]"]
)
def test_types_that_are_not_known(described: Any):
    with pytest.raises(RejectedError, match="type"):
        node_schema({"type": described})


@given(st.one_of(st.text(max_size=40), st.text("[],| aintLisUo", max_size=60)))
def test_no_text_of_a_type_does_harm(described: str):
    with contextlib.suppress(RejectedError):
        check_schema(node_schema({"type": described}))


def test_loose_parameters_need_what_has_no_default():
    flat = {"a": {"type": "str"}, "b": {"type": "int", "default": 5}, "c": {"type": "str, optional"}, "d": None}
    schema = parameters_schema(flat)
    assert schema["required"] == ["a"] and list(schema["properties"]) == ["a", "b", "c"]
    assert schema["additionalProperties"] is False and schema["properties"]["b"] == {"type": "integer", "default": 5}


def test_two_functions_of_one_name_and_none_are_refused():
    with pytest.raises(RejectedError, match="two functions of one name"):
        calls_schema([{"name": "f"}, {"name": "f"}])
    with pytest.raises(RejectedError, match="1 to 200 functions"):
        calls_schema([])


@pytest.mark.parametrize(
    ("found", "form", "reason"),
    [
        ([{"g": {}}], "acceptable", "'g', which is no function of the row"),
        ([{"f": {"a": []}}], "acceptable", "no acceptable value of 'a'"),
        ([{"name": "f", "arguments": [1]}], "plain", "a list where arguments are needed"),
        ("no call at all", "tagged", "a text without a <tool_call>"),
        ("<tool_call>{'name': }</tool_call>", "tagged", "neither JSON nor a Python dict"),
    ],
)
def test_calls_that_cannot_be_read(found: Any, form: Any, reason: str):
    schema = calls_schema([{"name": "f", "parameters": {"a": {"type": "int"}}}])
    with pytest.raises(RejectedError, match=reason):
        calls_answer(found, form, schema)


def test_several_tagged_calls_and_one_that_the_text_cuts_off():
    text = '<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call> and <tool_call>\n{"name": "f", "arguments": {}}'
    calls = calls_answer(text, "tagged", {})["calls"]
    assert calls == [{"name": "f", "arguments": {"a": 1}}, {"name": "f", "arguments": {}}]
