"""The figures of the documents task, against answers whose worth is plain."""

import copy
from typing import Any

import pytest
from answered import answered
from hypothesis import given
from hypothesis import strategies as st

from astudent.tasks.documents import SCHEMAS
from astudent.tasks.documents.task import TASK

RECIPE = SCHEMAS["recipe"].schema
KNOWN = {"dish": "Soup", "servings": 4, "level": "easy", "prep_minutes": 10, "cook_minutes": 20, "total_minutes": 30}
TRIP = SCHEMAS["travel"].schema
FIGURES = ("json_exact", "schema_compliance", "invariants_kept")


def figures_of(answer: Any, known: Any = KNOWN, schema: Any = RECIPE) -> tuple[bool, ...]:
    found = TASK.outcomes(answered(known, answer, schema))
    assert tuple(found) == FIGURES
    return tuple(found.values())


def test_the_known_answer_is_worth_everything_and_no_answer_nothing() -> None:
    assert figures_of(KNOWN) == (1, 1, 1)
    assert figures_of(None) == (0, 0, 0)


def test_order_of_keys_and_form_of_numbers_do_not_matter() -> None:
    turned = {name: float(value) if isinstance(value, int) else value for name, value in reversed(KNOWN.items())}
    assert figures_of(turned) == (1, 1, 1)


def test_order_of_an_array_matters() -> None:
    leg = {"mode": "bus", "date": "2026-01-02", "time": "08:00", "fare": 5}
    legs = [leg | {"from": "A", "to": "B"}, leg | {"from": "B", "to": "C"}]
    known = {"reference": "X", "travellers": ["N"], "legs": legs, "fare_per_person": 10, "total": 10}
    assert figures_of(known | {"legs": legs[::-1]}, known, TRIP) == (0, 1, 1)


@pytest.mark.parametrize(
    ("change", "worth"),
    [
        ({"dish": "soup"}, (0, 1, 1)),
        ({"total_minutes": 31}, (0, 1, 0)),
        ({"level": "Easy"}, (0, 0, 0)),
        ({"servings": True}, (0, 0, 0)),
        ({"note": "x"}, (0, 0, 0)),
    ],
)
def test_what_a_mistake_costs(change: dict[str, Any], worth: tuple[int, int, int]) -> None:
    assert figures_of(KNOWN | change) == worth


def test_rows_stand_under_their_grade_and_kind() -> None:
    row = answered(KNOWN, KNOWN, RECIPE, grade="simple")
    assert list(TASK.groups(row)) == [("grade", "simple"), ("document", "recipe")]


@given(st.data())
def test_exact_means_every_field_right(data: st.DataObject) -> None:
    answer: dict[str, Any] = copy.deepcopy(KNOWN)
    for name in data.draw(st.lists(st.sampled_from(sorted(KNOWN)), unique=True)):
        answer[name] = data.draw(st.one_of(st.none(), st.integers(0, 40), st.text(max_size=4), st.just(KNOWN[name])))
    row = answered(KNOWN, answer, RECIPE)
    assert row.equivalent == (row.facts_shared == row.facts_known == row.facts_answered)
