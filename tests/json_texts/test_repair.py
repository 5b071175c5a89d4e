"""Broken JSON repaired: what is changed and listed, what is refused, and texts that attack."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_strategies import OBJECTS, VALUES, written

from astudent.errors import RunError
from astudent.json_texts.repair import repair
from astudent.roles import JsonSyntaxError, LimitError
from astudent.roles.scan import scan


@pytest.mark.parametrize(
    ("broken", "sound"),
    [
        ('{"a": 1, "b": [2,],}', '{"a": 1, "b": [2]}'),
        ('{"a": 1 "b": [1 2]}', '{"a": 1 ,"b": [1 ,2]}'),
        ('{"a": "b"\n"c": "d"}', '{"a": "b"\n,"c": "d"}'),
        ('{"a":1,,"b":2}', '{"a":1,"b":2}'),
        ('{"a" "b"; "c": 1}', '{"a" :"b", "c": 1}'),
        ('{"a" = 1, "b" => 2}', '{"a" : 1, "b" : 2}'),
        ("{'a': 'it's', 'b': \"it's\"}", '{"a": "it\'s", "b": "it\'s"}'),
        ("{'a': 'say \"x\"', 'b': 'don\\'t'}", '{"a": "say \\"x\\"", "b": "don\'t"}'),
        ("{“a”: “b”, “c”: ‘d’}", '{"a": "b", "c": "d"}'),
        ("{a: 1, $b_2: 2}", '{"a": 1, "$b_2": 2}'),
        ("{1: 2}", '{"1": 2}'),
        ('{"a": True, "b": None, "c": undefined, "d": FALSE}', '{"a": true, "b": null, "c": null, "d": false}'),
        ('{"a": NaN, "b": -Infinity}', '{"a": null, "b": null}'),
        ('{"a": +1, "b": .5, "c": 5., "d": 1_000, "e": -.5}', '{"a": 1, "b": 0.5, "c": 5.0, "d": 1000, "e": -0.5}'),
        ('{"a": hello world, "b": 1}', '{"a": "hello world", "b": 1}'),
        ('{"a": 1 /* c */, // d\n "b": 2 # e\n}', '{"a": 1 , \n "b": 2 \n}'),
        ('{"a": "http://x/#y"}', '{"a": "http://x/#y"}'),
        ('{"a": "x\ty\nz\x00"}', '{"a": "x\\ty\\nz\\u0000"}'),
        ('{"a": "C:\\dir", "b": "\\x41"}', '{"a": "C:\\\\dir", "b": "\\u0041"}'),
        ('{"a": "he said "hi", then left", "b": 1}', '{"a": "he said \\"hi\\", then left", "b": 1}'),
        ('["he said "hi" there", "b"]', '["he said \\"hi\\" there", "b"]'),
        ('{"a": "foo,\n "b": 1}', '{"a": "foo",\n "b": 1}'),
        ('{"a": "foo, "b": ["c, "d"]}', '{"a": "foo", "b": ["c", "d"]}'),
        ('{"a": "b", c_d": ["e, {"f": 1}]}', '{"a": "b", "c_d": ["e", {"f": 1}]}'),
        ('{"a": {"b": "foo}, "c": 1}', '{"a": {"b": "foo"}, "c": 1}'),
        ('{"a: 1, "b": "x"}', '{"a": 1, "b": "x"}'),
        ('{a": foo bar", "b": 1}', '{"a": "foo bar", "b": 1}'),
        ('{"a": "b,", "c": ["d, ", "e"],}', '{"a": "b,", "c": ["d, ", "e"]}'),
        ('{"a": ["foo]}', '{"a": ["foo"]}'),
        ('{"a": [1, {"b": "c', '{"a": [1, {"b": "c"}]}'),
        ('{"a": [1, {"b": "c\n', '{"a": [1, {"b": "c"}]}'),
        ('{"a": 1, "b": ', '{"a": 1}'),
        ('{"a": 1, "b', '{"a": 1}'),
        ('{"a": tru', '{"a": true}'),
        ('{"a": 1, "b": 2e', '{"a": 1}'),
        ('{"a": "x\\u00', '{"a": "x"}'),
        ('{"a": {"b": [1, 2}, "c": 3}', '{"a": {"b": [1, 2]}, "c": 3}'),
        ('{"a":1]', '{"a":1}'),
        ('{"a": 1, "b": }', '{"a": 1}'),
        ('```json\n{"a":1,}\n```', '{"a":1}'),
        ('<think>{"a": this}</think> So: {"a":1}', '{"a":1}'),
        ("['a', None, \"b\"]", '["a", null, "b"]'),
        ('{"a":\u00a01}', '{"a": 1}'),
    ],
)
def test_what_is_repaired(broken: str, sound: str) -> None:
    done = repair(broken)
    assert done.text == sound
    assert bool(done.changes) == (broken != sound)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing", "no object or array"),
        ('{"a":1}{"b":2}', "2 values in the text"),
        ('{"a": {"b":1}},"c":2}', "more of it seems to follow"),
        ('{"a":"b","c"}', "expected ':'"),
        ('{"a": 1,000}', "expected ':'"),
        ('{"a": 012}', "octal"),
        ('"a": [1]}', "beginning is missing"),
        ('[1, see [2] there"]', "expected ',' or ']'"),
        ('{"a": 0x10}', "a number or a string"),
        ('{"a":,"b":1}', "expected a value"),
        ('{\n"a": "b",\n...\n}', "line 4"),
    ],
)
def test_what_has_several_readings_is_refused(text: str, says: str) -> None:
    with pytest.raises(RunError, match=says):
        repair(text)


def test_each_change_says_where_and_what() -> None:
    (quoted, comma, closed) = repair("{a: [1, ]").changes
    assert (quoted.position, quoted.before, quoted.after) == (1, "a", '"a"')
    assert (comma.position, comma.before, comma.after) == (6, ",", "")
    assert (closed.position, closed.after) == (9, "}")


@given(VALUES, st.none() | st.just(2))
def test_sound_json_stays_as_it_is(value: Any, indent: int | None) -> None:
    text = f" {written(value, indent)}\n"
    done = repair(text, {})
    assert (done.text, done.changes, done.problems) == (text, [], [])


@given(st.text(st.sampled_from("{}[]\"':,\\/ abtrue1-.\n“”#")))
def test_whatever_comes_out_is_json(text: str) -> None:
    with contextlib.suppress(RunError):
        done = repair(text)
        assert scan(done.text).fault is None


@given(OBJECTS, st.data())
def test_an_answer_that_was_cut_keeps_what_was_whole(value: dict[str, Any], data: st.DataObject) -> None:
    text = written(value)
    cut = text[: data.draw(st.integers(1, len(text)))]
    with contextlib.suppress(JsonSyntaxError):
        found = json.loads(repair(cut).text)
        assert list(found) == list(value)[: len(found)]


@given(OBJECTS, st.data())
def test_a_lost_character_leaves_json_or_a_refusal(value: dict[str, Any], data: st.DataObject) -> None:
    text = written(value)
    at = data.draw(st.integers(0, len(text) - 1))
    with contextlib.suppress(RunError):
        scan(repair(text[:at] + text[at + 1 :]).text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10**6,
        '{"a":' * 10**5,
        '{"a":"' + '"' * 10**6,
        '{"a":"' + "\n" * 10**6,
        '{"a":"' + ", \n" * 300_000,
        "['" + "' " * 300_000,
        '{"a": "b"' + " " * 10**6 + "x",
        '{"a":"x' + "}" * 10**6,
        "[" + "1 " * 500_000,
        "[" + "{'a': 'b',}," * 1_000,
    ],
    ids=range(10),
)
def test_hostile_text_costs_seconds_at_most(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(LimitError, JsonSyntaxError):
        repair(text)
    assert time.process_time() - started < 20
