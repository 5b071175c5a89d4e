"""The judge against execution: the table, kappa, and what is listed for reading."""

from collections.abc import Callable
from typing import Any

from astudent.evaluation.agreement import disagreed, judge_agreement
from astudent.evaluation.results import ResultRow


def test_disagreements_are_listed_and_errors_stand_apart(make_rows: Callable[..., list[ResultRow]]) -> None:
    cases: list[dict[str, Any]] = [
        *[{"teacher_verdict": "accept", "equivalent": True}] * 6,
        *[{"teacher_verdict": "reject", "equivalent": False}] * 2,
        {"teacher_verdict": "accept", "equivalent": False},
        {"teacher_verdict": "reject", "equivalent": True},
        {"teacher_verdict": "error", "equivalent": True},
        {"teacher_verdict": "reject", "equivalent": False, "schema_valid": False},
        {"teacher_verdict": "error", "equivalent": False, "schema_valid": False},
    ]
    rows = [row.model_copy(update=case) for row, case in zip(make_rows(len(cases)), cases, strict=True)]
    found = judge_agreement(rows)
    counts = ("accept_equivalent", "accept_different", "reject_equivalent", "reject_different")
    assert [found[name] for name in counts] == [6, 1, 1, 2] and found["judged"] == 10
    assert found["errors"] == 1, "of valid answers; an error is in none of the four counts"
    assert round(found["kappa"], 4) == round((0.8 - 0.58) / (1 - 0.58), 4)
    assert found["disagreements"] == {"accept_different": ["q8"], "reject_equivalent": ["q9"]}
    assert [row.query_id for row in disagreed(rows, "accept_different")] == ["q8"]


def test_without_a_judge_nothing_is_claimed(make_rows: Callable[..., list[ResultRow]]) -> None:
    found = judge_agreement([row.model_copy(update={"teacher_verdict": None}) for row in make_rows(3)])
    assert found["judged"] == found["errors"] == 0 and found["kappa"] is None
    assert found["disagreements"] == {"accept_different": [], "reject_equivalent": []}
