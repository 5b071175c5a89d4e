"""Which answers the report shows one by one."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from astudent.evaluation.results import ResultRow
from astudent.report.document import Block, Compared, Heading, Table
from astudent.report.runs import EvaluatedRun
from astudent.report.samples import SHOWN_SAMPLES, compared, samples
from astudent.report.slips import Examined

Make = Callable[..., ResultRow]
KNOWN = {"where": {"field": "price", "operator": "gt", "value": 5}, "limit": 3}


def wrong(make: Make, number: int, answer: Any, f1: float) -> ResultRow:
    return make(number, False, ast_json=KNOWN, text=json.dumps(answer), field_f1=f1)


def run(label: str, rows: list[ResultRow]) -> EvaluatedRun:
    return EvaluatedRun(label, Path(), rows, {"run": {}})


def sections(blocks: Iterable[Block]) -> dict[str, list[str]]:
    """Heading -> the headings of the answers below it."""
    found: dict[str, list[str]] = {}
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            found[block.text] = []
        elif isinstance(block, Heading):
            found[list(found)[-1]].append(block.text.split()[0])
    return found


def test_one_near_miss_of_each_slip_and_then_the_worst(make_result: Make):
    less = {"where": KNOWN["where"]}
    other = {**KNOWN, "where": {**KNOWN["where"], "value": 6}}
    rows = [wrong(make_result, n, less, 0.9 - n / 100) for n in range(3)]
    rows += [wrong(make_result, 3, other, 0.6), wrong(make_result, 4, {"limit": 4}, 0.1), make_result(5, True)]
    found = list(samples(run("SFT", rows), []))
    assert sections(found) == {
        "What goes wrong (SFT, unseen schemas)": [],
        "Near misses, one of each kind (SFT, unseen schemas)": ["q0", "q3"],
        "Worst answers (SFT, unseen schemas)": ["q4", "q2", "q1"],
    }
    (counts,) = [block for block in found if isinstance(block, Table)]
    assert next(iter(counts.rows)) == ["limit left out", "3", "60%"]


def test_what_dpo_lost_is_shown(make_result: Make):
    before = run("SFT", [make_result(n, n < 9) for n in range(10)])
    after = run("DPO", [make_result(n, n < 8) for n in range(10)])
    found = sections(samples(before, [before, after]))
    assert found["Right before DPO, wrong after it (unseen schemas)"] == ["q8"]


def test_no_more_than_a_few_are_shown_and_none_of_all_right(make_result: Make):
    found = sections(samples(run("SFT", [make_result(n, False) for n in range(40)]), []))
    assert len(found["Worst answers (SFT, unseen schemas)"]) == SHOWN_SAMPLES
    assert list(samples(run("SFT", [make_result(n, True) for n in range(4)]), [])) == []


def test_what_is_no_json_is_shown_as_it_is(make_result: Make):
    row = make_result(0, False, ast_json=KNOWN, text='{"where', parsed=False, schema_valid=False)
    shown = compared(Examined(row))
    assert isinstance(shown, Compared)
    assert shown.answer == ['{"where'] and shown.differences == [] and len(shown.known) == 1


def test_what_is_absent_is_said(make_result: Make):
    shown = compared(Examined(wrong(make_result, 0, {"where": KNOWN["where"], "sort": []}, 0.5)))
    assert shown.differences == [("limit", "3", "(nothing)"), ("sort", "(nothing)", "[]")]
