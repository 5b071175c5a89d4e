"""JSON out of messy text: prose, fences, several values, thoughts, broken and cut values, and texts that attack."""

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_strategies import OBJECTS, PROSE, VALUES, written

from astudent.errors import RunError
from astudent.json_texts.extract import extract, one_line
from astudent.roles import LimitError


def told(text: str) -> list[tuple[str, str]]:
    return [(found.state, found.text) for found in extract(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Here: {"a":1} ok', [("sound", '{"a":1}')]),
        ('```json\n{"a": [1,2]}\n```', [("sound", '{"a": [1,2]}')]),
        ('{"a":1}{"b":2} [3]', [("sound", '{"a":1}'), ("sound", '{"b":2}'), ("sound", "[3]")]),
        ('<think>{ like {x} {y</think> {"a":1}', [("sound", '{"a":1}')]),
        ('<think>{"a": this}</think> {"a":1}', [("broken", '{"a": '), ("sound", '{"a":1}')]),
        ('{"a": {"b":1}, oops}', [("broken", '{"a": {"b":1}, '), ("sound", '{"b":1}')]),
        ('{"unclosed, then {"a":1}', [("broken", '{"unclosed, then {"'), ("sound", '{"a":1}')]),
        ('{"a":"x [1]\ny"}', [("broken", '{"a":"x [1]')]),
        ('[{"a": 1} is it]', [("broken", '[{"a": 1} '), ("sound", '{"a": 1}')]),
        ("x {'a': 1}", [("broken", "{")]),
        ('"x"', [("sound", '"x"')]),
        (" -1.5 ", [("sound", "-1.5")]),
        ("nothing", []),
        ("", []),
        ("NaN", []),
    ],
)
def test_what_is_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize("end", ['"', '"b', '"b\\', '"b\\u00', "tr", "-", "1", "1.5e", "", "[", '{"c"', "[1, "])
@pytest.mark.parametrize("newline", ["", "\n"])
def test_a_value_that_the_text_ends_within_is_cut(end: str, newline: str) -> None:
    (found,) = extract(f'so: {{"a": {end}{newline}')
    assert (found.state, found.start, found.end) == ("cut", 4, 10 + len(end + newline))


def test_the_whole_values_of_a_cut_one_are_parts_of_it() -> None:
    cut, first, second = extract('[{"a":1},{"b":[2]},{"c":')
    assert cut.state == "cut" and "value" in cut.problem
    assert [(part.text, part.inside) for part in (first, second)] == [('{"a":1}', True), ('{"b":[2]}', True)]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_breaks_a_value(word: str) -> None:
    assert extract(f'{{"a": {word}}}')[0].state == "broken"


@given(value=OBJECTS, before=PROSE, after=PROSE, indent=st.none() | st.just(1))
def test_any_object_in_any_prose_is_found(value: dict[str, Any], before: str, after: str, indent: int | None) -> None:
    text = written(value, indent)
    found = [each for each in extract(f"{before}\n{text}\n{after}") if each.state == "sound"]
    assert [each.text for each in found] == [text]
    assert found[0].start == len(before) + 1


@given(st.text(st.sampled_from('{}[]":,\\ a1t-\n')))
def test_every_span_is_what_stands_there(text: str) -> None:
    for found in extract(text):
        assert found.text == text[found.start : found.end]


@given(VALUES)
def test_one_line_loses_nothing_but_blanks(value: Any) -> None:
    assert one_line(written(value, indent=2)).count("\n") == 0
    assert extract(one_line(written(value, indent=2)))[0].text == one_line(written(value))


@pytest.mark.parametrize(
    "piece", ["[", '{"a":', '["', "[1", '{"', '{"a"', '["\\"[', '{"k":"[', "[ ", '{"k":"[\n', "{a:"]
)
def test_hostile_text_costs_seconds_at_most(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    started = time.process_time()
    with contextlib.suppress(LimitError):
        extract(text)
    assert time.process_time() - started < 20


def test_more_than_any_text_may_have() -> None:
    with pytest.raises(RunError, match="limit"):
        extract("x" * 16_000_001)
