"""What went wrong, in words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from astudent.evaluation.results import ResultRow
from astudent.report.operators import NO_CONDITION, confusion, operator_confusion, operators_of
from astudent.report.runs import EvaluatedRun
from astudent.report.slips import INVALID, NO_JSON, OTHER, RIGHT, Examined

Make = Callable[..., ResultRow]
PRICE = {"field": "price", "operator": "gt", "value": 5}
SIZE = {"field": "size", "operator": "lt", "value": 9}


@pytest.fixture
def examined(make_result: Make) -> Callable[..., Examined]:
    def make(known: Any, answer: Any, **given: Any) -> Examined:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return Examined(make_result(0, False, ast_json=known, text=text, **given))

    return make


@pytest.mark.parametrize(
    ("known", "answer", "slips"),
    [
        ({"where": PRICE}, {"where": {**PRICE, "operator": "lt"}}, ["operator wrong"]),
        ({"where": PRICE, "limit": 3}, {"where": {**PRICE, "value": 6}}, ["value wrong", "limit left out"]),
        ({"where": PRICE}, {"where": {"and": [PRICE, SIZE]}}, ["condition wrong"]),
        ({"where": {"and": [PRICE, SIZE]}}, {"where": {"and": [PRICE]}}, ["condition wrong"]),
        (
            {"where": {"and": [PRICE, SIZE, {**PRICE, "value": 7}]}},
            {"where": {"and": [PRICE, SIZE]}},
            ["condition left out"],
        ),
        ({"where": {"and": [PRICE, SIZE]}}, {"where": {"and": [SIZE, PRICE]}}, []),
        ({"total": 5}, {"total": 6, "tax": 1}, ["total wrong", "tax too much"]),
    ],
)
def test_slips(examined: Callable[..., Examined], known: Any, answer: Any, slips: list[str]):
    assert examined(known, answer).slips == slips


def test_outcomes(examined: Callable[..., Examined], make_result: Make):
    assert Examined(make_result(0, True)).outcome == RIGHT
    assert Examined(make_result(0, True)).slips == []
    assert examined({}, {}).outcome == OTHER
    assert examined({}, {}, schema_valid=False).outcome == INVALID
    cut_off = examined({}, '{"where', parsed=False, schema_valid=False, finish="length")
    assert (cut_off.outcome, cut_off.slips) == (NO_JSON, ["cut off", "no JSON"])


def test_without_a_judge_execution_says_what_is_right(make_result: Make):
    row = make_result(0, True, semantic_pass=None, teacher_reason=None)
    assert Examined(row).is_right and not Examined(row).note
    wrong = make_result(0, False, semantic_pass=None, teacher_reason=None)
    assert Examined(wrong).note == "another meaning by execution"


def test_operators_are_paired_on_their_field(examined: Callable[..., Examined]):
    known = {"where": {"and": [PRICE, {**PRICE, "operator": "lt"}, SIZE]}}
    answer = {"where": {"and": [PRICE, {**PRICE, "operator": "eq"}]}}
    assert confusion([examined(known, answer)]) == {
        ("gt", "gt"): 1,
        ("lt", "eq"): 1,
        ("lt", NO_CONDITION): 1,
    }
    assert confusion([examined({"where": PRICE}, "no")]) == {("gt", NO_JSON): 1}
    assert operators_of({"operator": "gt", "total": 5}) == {}


def test_the_matrix_says_how_often_each_operator_is_right(make_result: Make, tmp_path: Any):
    rows = [make_result(n, n < 3) for n in range(4)]  # gt known; the last one says lt, which is never known
    _, table, _ = operator_confusion(EvaluatedRun("SFT", tmp_path, rows, {}))
    assert table.header == ["known \\ answered", "right", "gt", "others"]  # pyright: ignore[reportAttributeAccessIssue]
    assert table.rows == [["gt", "75%", "3", "1"]]  # pyright: ignore[reportAttributeAccessIssue]
    plain = [make_result(n, False, ast_json={"total": 5}) for n in range(2)]
    assert list(operator_confusion(EvaluatedRun("SFT", tmp_path, plain, {}))) == []
