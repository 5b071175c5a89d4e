"""The figures of the documents task, against answers whose worth is plain."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.tasks.documents import SCHEMAS
from astudent.tasks.documents.figures import Answered, field_score, figures_by_grade

RECIPE = SCHEMAS["recipe"].schema
KNOWN = {"dish": "Soup", "servings": 4, "level": "easy", "prep_minutes": 10, "cook_minutes": 20, "total_minutes": 30}
TRIP = SCHEMAS["travel"].schema


def figures_of(answer: Any, known: Any = KNOWN, schema: Any = RECIPE) -> tuple[int, int, int]:
    found = figures_by_grade([Answered(known, answer, schema, "simple")])["simple"]
    return found.exact, found.compliant, found.consistent


def test_the_known_answer_is_worth_everything() -> None:
    assert figures_of(KNOWN) == (1, 1, 1)


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


def test_fields_are_counted_by_path_and_names_do_not_count() -> None:
    answer = {"dish": "Soup", "servings": 5, "extra": {"level": "easy"}}
    score = field_score(KNOWN, answer, RECIPE)
    assert (score.shared, score.answered, score.known) == (1, 3, 6)
    assert field_score(KNOWN, {}, RECIPE).f1 == 0


def test_true_is_not_one_and_an_empty_array_is_a_value() -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {}}}
    assert field_score({"a": 1, "b": []}, {"a": True, "b": []}, schema).shared == 1
    assert field_score({"a": [1, 2]}, {"a": [2, 1]}, schema).shared == 0


def test_an_answer_that_did_not_parse_lowers_recall_only() -> None:
    found = figures_by_grade([Answered(KNOWN, None, RECIPE, "simple"), Answered(KNOWN, KNOWN, RECIPE, "simple")])
    fields = found["simple"].fields
    assert (fields.precision, fields.recall) == (1, 0.5)
    assert found["simple"].as_json()["json_exact"]["rate"] == 0.5


def test_grades_are_apart_and_together() -> None:
    rows = [Answered(KNOWN, KNOWN, RECIPE, grade) for grade in ("simple", "simple", "complex")]
    found = figures_by_grade(rows)
    assert {name: figures.samples for name, figures in found.items()} == {"all": 3, "simple": 2, "complex": 1}
    assert found["complex"].as_json()["schema_compliance"]["interval"][0] < 1


def test_without_rows_there_are_no_rates() -> None:
    empty = figures_by_grade([])["all"].as_json()
    assert (empty["json_exact"]["rate"], empty["fields"]) == (None, None)


@given(st.data())
def test_exact_means_every_field_right(data: st.DataObject) -> None:
    answer: dict[str, Any] = copy.deepcopy(KNOWN)
    for name in data.draw(st.lists(st.sampled_from(sorted(KNOWN)), unique=True)):
        answer[name] = data.draw(st.one_of(st.none(), st.integers(0, 40), st.text(max_size=4), st.just(KNOWN[name])))
    score = field_score(KNOWN, answer, RECIPE)
    assert (figures_of(answer)[0] == 1) == (score.shared == score.known == score.answered)
