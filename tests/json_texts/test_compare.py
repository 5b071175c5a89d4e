"""Two sets of texts compared by path and by role."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_strategies import VALUES, written

from astudent.json_texts.compare import Difference, diff
from astudent.json_texts.source import Text
from astudent.roles import GrammarRole

SCHEMA = {"properties": {"s": {"enum": ["x", "y"]}, "i": {"items": {"properties": {"n": {"type": "integer"}}}}}}


def texts(*contents: str, ids: list[int] | None = None) -> list[Text]:
    return [Text(each, "f.jsonl", line, ids[line - 1] if ids else None) for line, each in enumerate(contents, 1)]


def counts(found: Difference, path: str, role: GrammarRole) -> tuple[int, int, int, int]:
    tally = found.paths[path, role]
    return tally.equal, tally.changed, tally.missing_in_a, tally.missing_in_b


@given(st.lists(VALUES, max_size=4))
def test_a_set_does_not_differ_from_itself(values: list[Any]) -> None:
    same = texts(*map(written, values))
    found = diff(same, same, {})
    assert found.is_empty and all(tally.share == 0 for tally in found.paths.values())


def test_paths_roles_and_examples() -> None:
    a = texts('{"s":"x","i":[{"n":1},{"n":2}],"f":"t"}', '{"s":"x"}')
    b = texts('{"s":"y","i":[{"n":1.0},{"n":3}],"g":null}', '{"s":"x"}')
    found = diff(a, b, SCHEMA, max_examples=1)
    assert counts(found, "s", GrammarRole.ENUM_VALUE) == (1, 1, 0, 0)
    assert counts(found, "i[].n", GrammarRole.NUMBER) == (1, 1, 0, 0)
    assert counts(found, "f", GrammarRole.KEY) == (0, 0, 0, 1)
    assert counts(found, "g", GrammarRole.KEY) == (0, 0, 1, 0)
    assert counts(found, "g", GrammarRole.STRUCTURAL) == (0, 0, 1, 0)
    (example,) = found.paths["i[].n", GrammarRole.NUMBER].examples
    assert (example.at, example.a, example.b, example.a_where) == ("i[1].n", "2", "3", "f.jsonl:1")
    assert found.roles[GrammarRole.ENUM_VALUE].share == 0.5
    assert found.above(0.5) == [GrammarRole.FREE_TEXT, GrammarRole.STRUCTURAL] or found.above(0.9)


def test_the_shift_is_the_distance_of_two_distributions() -> None:
    found = diff(texts('{"s":"x"}', '{"s":"x"}'), texts('{"s":"x"}', '{"s":"y"}'), SCHEMA)
    assert found.paths["s", GrammarRole.ENUM_VALUE].shift == 0.5
    swapped = diff(texts('{"s":"x"}', '{"s":"y"}'), texts('{"s":"y"}', '{"s":"x"}'), SCHEMA)
    assert swapped.paths["s", GrammarRole.ENUM_VALUE].shift == 0


def test_aligned_by_id_where_all_have_one() -> None:
    found = diff(texts("1", "2", ids=[7, 8]), texts("2", "3", ids=[8, 9]))
    assert (found.aligned_by, found.aligned, found.only_in_a, found.only_in_b) == ("id", 1, 1, 1)
    assert found.roles[GrammarRole.NUMBER].share == 0
    by_order = diff(texts("1", "2", ids=[7, 7]), texts("1", ids=[7]))
    assert (by_order.aligned_by, by_order.aligned, by_order.only_in_a) == ("order", 1, 1)


@pytest.mark.parametrize("broken", ['{"s":', "[" * 600 + "]" * 600])
def test_all_values_are_missing_in_a_text_that_is_no_json(broken: str) -> None:
    found = diff(texts('{"s":"x"}'), texts(broken), SCHEMA)
    assert (found.a.parsed, found.b.parsed, found.a.valid, found.b.valid) == (1, 0, 1, 0)
    assert found.above(0.5) == [GrammarRole.ENUM_VALUE, GrammarRole.KEY]
