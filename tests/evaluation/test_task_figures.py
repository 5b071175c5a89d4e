"""A task's figures over rows: counted, grouped, with intervals."""

from typing import Any

import pytest
from answered import answered

from astudent.evaluation.comparison import compare_runs
from astudent.evaluation.pairs import build_pairs
from astudent.evaluation.results import ResultRow
from astudent.evaluation.statistics import wilson
from astudent.evaluation.summary import summarise
from astudent.evaluation.task_figures import task_figures
from astudent.tasks.documents import SCHEMAS
from astudent.tasks.documents.task import TASK
from astudent.teacher.verdicts import verdict_by_equivalence

RECIPE = SCHEMAS["recipe"].schema
KNOWN = {"dish": "Soup", "servings": 4, "level": "easy", "prep_minutes": 10, "cook_minutes": 20, "total_minutes": 30}


def rows(*answers: Any, **given: Any) -> list[ResultRow]:
    return [answered(KNOWN, answer, RECIPE, query_id=f"q{n}", **given) for n, answer in enumerate(answers)]


def test_rates_have_wilsons_interval_and_f1_a_bootstraps() -> None:
    wrong = KNOWN | {"dish": "Stew"}
    found = task_figures(rows(KNOWN, KNOWN, wrong, None, grade="simple"), TASK)["all"]
    interval = wilson(2, 4)
    assert found["samples"] == 4
    assert found["json_exact"] == {"value": 0.5, "interval": [interval.low, interval.high]}
    assert found["schema_compliance"]["value"] == 0.75
    assert found["field_f1"]["value"] == pytest.approx(2 * 17 / (18 + 24))
    low, high = found["field_f1"]["interval"]
    assert 0 < low < found["field_f1"]["value"] < high <= 1


def test_equal_answers_leave_the_bootstrap_no_width() -> None:
    assert task_figures(rows(KNOWN, KNOWN, KNOWN), TASK)["all"]["field_f1"] == {"value": 1.0, "interval": [1.0, 1.0]}
    assert task_figures(rows(KNOWN), TASK)["all"]["field_f1"]["interval"] is None


def test_groups_stand_apart_in_the_summary() -> None:
    made = rows(KNOWN, grade="simple") + rows(None, KNOWN, grade="complex")
    split = summarise(made, "test_seen", TASK)["splits"]["test_seen"]
    by_grade = split["task"]["by"]["grade"]
    assert {grade: (f["samples"], f["json_exact"]["value"]) for grade, f in by_grade.items()} == {
        "simple": (1, 1.0),
        "complex": (2, 0.5),
    }
    assert {grade: rates["equivalent_rate"] for grade, rates in split["slices"]["grade"].items()} == {
        "simple": 1.0,
        "complex": 0.5,
    }
    assert "conditions" not in split["slices"]


def test_the_query_language_has_no_figures_of_a_task() -> None:
    split = summarise(rows(KNOWN), "test_seen")["splits"]["test_seen"]
    assert "task" not in split and "grade" not in split["slices"]


def test_nothing_answered_has_no_value() -> None:
    assert task_figures([], TASK)["all"] == {"samples": 0, "field_f1": {"value": None, "interval": None}}


def test_under_one_schema_rows_are_resampled() -> None:
    """Whole schemas drawn from a single one would give an interval without width, and a verdict too sure of itself."""
    before, after = rows(*[None] * 40), rows(*[KNOWN] * 20, *[None] * 20)
    found = compare_runs(("base", before), ("SFT", after), "test_seen")
    assert found is not None and found.result.difference == 0.5
    assert found.result.interval.low < 0.45 and found.result.interval.high > 0.55


def test_wrong_answers_of_a_task_make_pairs() -> None:
    """The embedded judge's verdict is equality with the known answer: alignment has what it needs."""
    wrong = KNOWN | {"servings": 5}
    pairs = build_pairs(rows(KNOWN, wrong, None, wrong | {"level": "Easy"}, split="align"))
    assert [pair.query_id for pair in pairs.kept] == ["q1", "q3"]
    assert (
        pairs.kept[0].chosen
        == '{"dish":"Soup","servings":4,"level":"easy","prep_minutes":10,"cook_minutes":20,"total_minutes":30}'
    )
    assert verdict_by_equivalence(RECIPE, KNOWN, wrong).verdict == "reject"
    assert verdict_by_equivalence(RECIPE, KNOWN, dict(reversed(KNOWN.items()))).verdict == "accept"
