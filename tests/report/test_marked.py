"""Marked texts: all pieces together are the whole; the marks stand on what differs."""

import json
from typing import Any

from hypothesis import given
from test_ast_diff import JSON

from astudent.report.ast_diff import differences
from astudent.report.marked import MOST_CHARACTERS, MOST_PIECE, WIDTH, bounded, marked_json, marked_request

KNOWN = {"where": {"field": "unit_price", "operator": "gt", "value": 5}, "limit": 3}


@given(JSON, JSON)
def test_the_pieces_are_the_json(known: Any, answer: Any):
    places = {each.known_at for each in differences(known, answer) if each.known_at is not None}
    pieces = marked_json(known, places)
    assert json.loads("".join(pieces)) == known
    assert any(pieces[1::2]) == bool(places)


def test_the_marks_are_the_members_that_differ():
    pieces = marked_json(KNOWN, {("where", "operator"), ("limit",)})
    assert pieces[1::2] == ['"operator": "gt"', '"limit": 3']
    assert all(len(line) <= WIDTH for line in "".join(pieces).splitlines())


def test_an_indent_is_not_marked():
    long = {"where": {"field": "f" * 30, "operator": "eq", "value": "v" * 30}, "limit": 3}
    marks = marked_json(long, {("where",)})[1::2]
    assert marks[0] == '"where": {' and marks[-1] == "}" and not any("\n" in mark for mark in marks)


def test_the_request_shows_the_words_that_the_answer_missed():
    found = differences(KNOWN, {"where": {**KNOWN["where"], "value": 6}, "limit": 3})
    assert marked_request("Les 3 articles, Unit-Price 5 ?", KNOWN, found)[1::2] == ["Unit", "Price", "5"]
    assert marked_request("nothing", KNOWN, []) == ["nothing"]


def test_a_megabyte_is_cut_and_its_length_said():
    pieces = marked_json({"a": "x" * 1_000_000, "b": 2}, {("b",)})
    assert sum(map(len, pieces)) < 2 * MOST_PIECE and "1,000,0" in pieces[0]
    assert pieces[1] == '"b": 2', "what comes after the long value is still there"
    assert "(1,000,000 characters)" in "".join(marked_request("y" * 1_000_000, KNOWN, []))


def test_many_pieces_end_with_what_is_left():
    pieces = bounded([("ab", number % 2 == 1) for number in range(20_000)])
    assert sum(map(len, pieces)) < MOST_CHARACTERS + 100
    assert len(pieces) % 2 == 1 and "more characters" in pieces[-1]
