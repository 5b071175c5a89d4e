"""Text without a schema: the grammar alone, what is refused and where, and how a broken text is read leniently."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.roles import GrammarRole, JsonSyntaxError, LimitError, Limits, RoleAssigner, assign_grammar_roles
from astudent.roles.anatomy import anatomy
from astudent.roles.scan import scan
from astudent.roles.value import Value

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=5) | st.dictionaries(st.text(), children, max_size=5),
    max_leaves=20,
)


def letters(text: str, schema: Any = True, lenient: bool = False) -> str:
    return anatomy(assign_grammar_roles(text, schema, lenient))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1}', "sqKqsNs"),
        ('{"a": -1.5e+3, "b":null}', "sqKqs_NNNNNNNs_qKqsSSSSs".replace("S", "s")),
        ("[true,false]", "sBBBBsBBBBBs"),
        ('"x\\"\\u00e9"', "qFFFFFFFFFq"),
        ('""', "qq"),
        (" 0 ", "_N_"),
        ('{"":""}', "sqqsqqs"),
        ('{"k\\n":[]}', "sqKKKqssss"),
        ('"é👩‍👧"', "qFFFFq"),
    ],
)
def test_roles_without_schema(text: str, expected: str) -> None:
    assert letters(text) == expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("   ", 3),
        ("{", 1),
        ('{"a"}', 4),
        ('{"a":}', 5),
        ('{"a":1,}', 7),
        ("{'a':1}", 1),
        ("[1,]", 3),
        ("[1 2]", 3),
        ("[1}", 2),
        ("01", 1),
        ("1.", 1),
        ("-", 0),
        ("+1", 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("tru", 0),
        ("truex", 4),
        ("{} x", 3),
        ('"abc', 4),
        ('"a\tb"', 2),
        ('"a\\x"', 2),
        ('"\\u12g4"', 1),
        ('{"a":1 "b":2}', 7),
        ("\ufeff{}", 0),
        ("\u00a01", 0),
        ("]", 0),
        (",", 0),
    ],
)
def test_what_is_not_json_is_refused_with_its_position(text: str, position: int) -> None:
    with pytest.raises(JsonSyntaxError) as caught:
        assign_grammar_roles(text, True)
    assert caught.value.position == position
    assert f"character {position}" in caught.value.message


def test_position_is_also_given_as_line_and_column() -> None:
    with pytest.raises(
        JsonSyntaxError, match=r"expected a value, found '\}' \(line 2, column 7, character 8\)"
    ) as caught:
        assign_grammar_roles('{\n  "a":}', True)
    assert (caught.value.line, caught.value.column) == (2, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1', "sqKqsN"),  # cut off between tokens: nothing is unknown
        ('{"a":"xy', "sqKqs???"),  # a string that never ends has no role
        ("not json", "????????"),
        ("{} tail", "ss_????"),
        ('[1,"a",oops, 2]', "sNsqFqs????????"),
        ("", ""),
    ],
)
def test_lenient_is_unknown_from_the_fault_on(text: str, expected: str) -> None:
    assert letters(text, True, lenient=True) == expected


def test_lenient_still_reads_the_schema_before_the_fault() -> None:
    schema = {"properties": {"a": {"enum": ["x"]}, "b": {"type": "string"}}, "required": ["a", "b", "c"]}
    assert letters('{"a":"x","b":"x","c":', schema, lenient=True) == "sqKqsqEqsqKqsqFqsqKqs"


def test_depth_costs_no_recursion_and_is_bounded() -> None:
    depth = 15_000
    text = "[" * depth + "1" + "]" * depth
    assert letters(text) == "s" * depth + "N" + "s" * depth
    small = RoleAssigner(True, Limits(depth=3))
    assert small.roles("[[[1]]]")
    with pytest.raises(JsonSyntaxError, match="deeper than the limit of 3"):
        small.roles("[[[[1]]]]")
    assert small.roles("[[[[1]]]]", lenient=True)[3:] == [GrammarRole.UNKNOWN] * 6


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 400_000, '"a' * 400_000, '"\\u' * 400_000, "[" * 800_000, '{"a":' * 160_000]
)
def test_hostile_texts_cost_their_length_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(JsonSyntaxError):
        assign_grammar_roles(text, True)
    assert time.process_time() - started < 5  # a second pass over the text for each quote would take minutes


@pytest.mark.parametrize("text", ['{"a":1,"a":"x"}', '{"a":"y","\\u0061":"x"}', '{"a":{"a":"x"},"a":"x"}'])
def test_each_member_of_a_repeated_name_has_its_role(text: str) -> None:
    roles = assign_grammar_roles(text, {"properties": {"a": {"enum": ["x"], "properties": {"a": {"const": "x"}}}}})
    assert all(roles[i] is GrammarRole.ENUM_VALUE for i, letter in enumerate(text) if letter == "x")


def test_size_is_bounded() -> None:
    with pytest.raises(LimitError, match=r"5 characters; the limit is 4"):
        RoleAssigner(True, Limits(characters=4)).roles("[1,2]")


def test_huge_numbers_do_not_stop_the_scan() -> None:
    for text in ("9" * 10_000, "1e999999999", "-1e-999999999"):
        assert letters(text, {"type": "integer", "multipleOf": 3}) == "N" * len(text)


def plain(value: Value) -> object:
    if isinstance(value.data, dict):
        return {name: plain(child) for name, child in value.data.items()}
    return [plain(child) for child in value.data] if isinstance(value.data, list) else value.data


@given(JSON_VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_scan_agrees_with_the_standard_parser(data: object, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    scanned = scan(text)
    assert scanned.roles == assign_grammar_roles(text, True)  # which takes the quick way
    assert scanned.root is not None
    assert plain(scanned.root) == data == json.loads(text)


@given(JSON_VALUES, st.data())
def test_a_damaged_text_is_refused_exactly_when_the_standard_parser_refuses_it(
    data: object, draw: st.DataObject
) -> None:
    text = json.dumps(data, ensure_ascii=False)
    at = draw.draw(st.integers(0, len(text)))
    damaged = (
        text[:at]
        + draw.draw(st.sampled_from(["", '"', "\\", "}", "[", ",", ":", "0", "e", "\n", "x"]))
        + text[at + 1 :]
    )
    roles = assign_grammar_roles(damaged, True, lenient=True)
    assert len(roles) == len(damaged)
    try:
        json.loads(damaged, parse_constant=lambda name: math.nan)
    except json.JSONDecodeError:
        with pytest.raises(JsonSyntaxError):
            assign_grammar_roles(damaged, True)
    else:
        assert assign_grammar_roles(damaged, True) == roles
        assert GrammarRole.UNKNOWN not in roles


@given(st.text(max_size=40))
def test_any_text_at_all_gets_a_role_per_character_when_lenient(text: str) -> None:
    assert len(assign_grammar_roles(text, True, lenient=True)) == len(text)
