"""Values at their paths: what an answer shares with the known one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.evaluation.leaf_scores import values_score
from astudent.evaluation.metrics import Scorer

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner))
OBJECTS = st.dictionaries(st.text(max_size=2), JSON, max_size=3)


@pytest.mark.parametrize(
    ("answer", "known", "counts"),
    [
        ({"a": "x", "b": 5, "extra": {"c": 1}}, {"a": "x", "b": 4, "c": 1}, (1, 3, 3)),
        ({}, {"a": 1}, (0, 1, 1)),
        (None, {"a": [1, 2]}, (0, 0, 2)),
        ({"a": True, "b": []}, {"a": 1, "b": []}, (1, 2, 2)),
        ({"a": [2, 1]}, {"a": [1, 2]}, (0, 2, 2)),
        ({"a": 5.0}, {"a": 5}, (1, 1, 1)),
        ({"a": [1, 2, 3]}, {"a": [1, 2]}, (2, 3, 2)),
    ],
)
def test_values_at_equal_paths_are_shared(answer: Any, known: Any, counts: tuple[int, int, int]) -> None:
    found = values_score(answer, known)
    assert (found.shared, found.answered, found.known) == counts


@given(OBJECTS, OBJECTS)
def test_shared_values_are_on_both_sides(answer: Any, known: Any) -> None:
    found = values_score(answer, known)
    assert found.shared <= min(found.answered, found.known)
    assert values_score(known, known).f1 == 1


def test_only_a_query_languages_answers_are_facts(schema: dict[str, Any]) -> None:
    """One comparison is three facts, and, under another schema, three values too; a second one moves the first."""
    one, two = {"field": "price", "operator": "gt", "value": 5}, {"field": "city", "operator": "eq", "value": "Nice"}
    known, turned = {"where": {"and": [one, two]}}, {"where": {"and": [two, one]}}
    assert Scorer(schema).score(turned, known).fields.f1 == 1
    assert Scorer({"type": "object"}).score(turned, known).fields.f1 == 0
