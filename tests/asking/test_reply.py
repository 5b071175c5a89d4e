"""What of a student's words may be handed on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.asking.reply import CUT, Reply, checked

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"enum": ["open", "closed"]}, "limit": {"type": "integer", "minimum": 1}},
    "required": ["status"],
    "additionalProperties": False,
}


def said(text: str, truncated: bool = False) -> Reply:
    return Reply(text, 10, 5, truncated, 0.1)


def test_a_valid_ast_comes_in_its_one_spelling():
    assert checked(said(' {"limit": 5.0,\n "status": "open"}'), SCHEMA).ast == '{"status":"open","limit":5}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"status":"opne"}', "status: 'opne' is not one of open, closed"),
        ('{"status":"open","limit":0}', "limit: "),
        ('{"limit":3}', "'status'"),
        ('{"status":"open"', "not JSON"),
        ('["open"]', "not an object but an array"),
        ('{"status":"open","status":"closed"}', "is there twice"),
        ("", "not JSON"),
        ("[" * 100_000, "longer than"),
    ],
)
def test_any_other_says_what_is_wrong(text: str, says: str):
    found = checked(said(text), SCHEMA)
    assert found.ast is None and any(says in problem for problem in found.problems), found


def test_a_cut_answer_is_said_to_be_cut_but_counts_where_it_is_whole():
    assert checked(said('{"status":"op', truncated=True), SCHEMA).problems[0] == CUT
    assert checked(said('{"status":"open"}', truncated=True), SCHEMA).ast == '{"status":"open"}'


@given(st.text(max_size=60) | st.from_regex(r'\{"status":"(open|closed|x)"(,"limit":-?[0-9]{1,3})?\}', fullmatch=True))
def test_an_ast_or_a_problem_and_never_both(text: str):
    found = checked(said(text), SCHEMA)
    assert (found.ast is None) == bool(found.problems)
    if found.ast is not None:
        assert checked(said(found.ast), SCHEMA) == found
