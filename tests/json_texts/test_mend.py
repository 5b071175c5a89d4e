"""Values mended by a schema: those with one reading, and those that are left alone."""

import json
from typing import Any

import pytest

from astudent.errors import RunError
from astudent.json_texts.repair import repair

SCHEMA: dict[str, Any] = {
    "properties": {
        "status": {"enum": ["open", "closed"]},
        "level": {"enum": [1, 2]},
        "grade": {"enum": ["a", "A"]},
        "urgent": {"type": "boolean"},
        "count": {"type": "integer"},
        "price": {"type": ["number", "null"]},
        "code": {"type": "string", "pattern": "^[0-9]+$"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        "items": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "v": {"const": "V1"},
    }
}

KINDS = {"size": "integer", "flag": "boolean"}


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ('{"status": "Open "}', '{"status": "open"}'),
        ('{"level": "2"}', '{"level": 2}'),
        ('{"urgent": "True", "count": "3"}', '{"urgent": true, "count": 3}'),
        ('{"price": "1.50"}', '{"price": 1.5}'),
        ('{"price": "null"}', '{"price": null}'),
        ('{"code": 42}', '{"code": "42"}'),
        ('{"either": "true"}', '{"either": true}'),
        ('{"items": [{"n": 1}, {"n":  "2" , "x": "3"}]}', '{"items": [{"n": 1}, {"n":  2 , "x": "3"}]}'),
        ('{"v": "v1"}', '{"v": "V1"}'),
    ],
)
def test_one_reading_is_taken(text: str, mended: str) -> None:
    done = repair(text, SCHEMA)
    assert (done.text, done.problems) == (mended, [])
    assert all(change.path and change.before != change.after for change in done.changes)


@pytest.mark.parametrize(
    "text",
    [
        '{"status": "opened"}',
        '{"grade": "x"}',
        '{"urgent": "yes"}',
        '{"urgent": 1}',
        '{"count": "three"}',
        '{"count": "3.5"}',
        '{"code": 1.5}',
        '{"items": "[]"}',
        '"3"',
    ],
)
def test_what_may_mean_something_else_stays(text: str) -> None:
    done = repair(text, {**SCHEMA, "type": "object"})
    assert (done.text, done.changes) == (text, []) and done.problems


def test_a_change_names_its_path() -> None:
    (change,) = repair('{"items":[{"n":"2"}]}', SCHEMA).changes
    assert change.as_json() == {
        "what": "number where a string stood", "before": '"2"', "after": "2", "path": "items[0].n",
    }  # fmt: skip


def test_many_values_are_mended_at_once() -> None:
    done = repair(json.dumps({"items": [{"n": str(number)} for number in range(500)]}), SCHEMA)
    assert (len(done.changes), done.problems) == (500, [])


def test_one_value_that_cannot_be_mended_keeps_no_other_from_it() -> None:
    done = repair('{"code": 1.5, "count": "3", "status": "x"}', {**SCHEMA, "required": ["else"]})
    assert done.text == '{"code": 1.5, "count": 3, "status": "x"}' and len(done.problems) == 3


def test_the_branch_of_a_choice_is_mended() -> None:
    branches = [{"properties": {"kind": {"const": kind}, "n": {"type": wanted}}} for kind, wanted in KINDS.items()]
    done = repair('{"kind": "Size", "n": "2"}', {"anyOf": branches})
    assert (done.text, done.problems) == ('{"kind": "size", "n": 2}', [])


def test_a_schema_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(RunError, match="not a JSON Schema"):
        repair("{}", {"type": 3})
