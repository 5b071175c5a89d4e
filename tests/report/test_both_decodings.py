"""What the report says of constrained decoding, and of answers on which judge and execution disagree."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from astudent.evaluation.constraint import constraint_summary
from astudent.evaluation.results import ResultRow
from astudent.report.constraint import SHOWN_SCHEMAS, constraint
from astudent.report.disagreements import SHOWN, disagreements
from astudent.report.document import Block, Bullets, Compared, Heading, Paragraph, Table
from astudent.report.runs import EvaluatedRun

Make = Callable[..., ResultRow]


def run_of(rows: list[ResultRow], summary: dict[str, Any] | None = None) -> EvaluatedRun:
    return EvaluatedRun("SFT", Path(), rows, summary or {})


def texts(blocks: list[Block]) -> str:
    said = [block.text for block in blocks if isinstance(block, Heading | Paragraph)]
    pairs = [block for block in blocks if isinstance(block, Compared)]
    return "\n".join([*said, *("".join([*pair.request, *pair.known, *pair.answer]) for pair in pairs)])


def test_cost_and_what_it_hides_stand_in_tables(make_result: Make) -> None:
    free = [make_result(n, n < 3, schema_valid=n < 3, latency_seconds=0.5) for n in range(5)]
    constrained = [make_result(n, n < 3, latency_seconds=1.0) for n in range(5)]
    blocks = list(constraint([run_of(free, {"constraint": constraint_summary([], free, constrained)})]))
    costs, outcomes = (block for block in blocks if isinstance(block, Table))
    assert costs.rows == [["SFT, test_unseen", "5", "0.5", "1", "2.00 (2.00 to 2.00)", "25", "50", "2"]]
    assert outcomes.rows == [
        ["right", "3", "0", "0"],
        ["valid, but wrong", "0", "0", "0"],
        ["not valid", "0", "2", "0"],
    ]


def test_schemas_that_are_not_enforced_are_named_up_to_a_number() -> None:
    found = {"schemas": 99, "splits": {}, "left_out": {f"s{n}": ["not"] for n in range(30)}, "refused": {}}
    blocks = list(constraint([run_of([], {"constraint": found})]))
    (listed,) = (block for block in blocks if isinstance(block, Bullets))
    assert listed.items[0] == "s0: left out: not" and listed.items[-1] == "and 10 more, in the summary"
    assert len(listed.items) == SHOWN_SCHEMAS + 1
    whole = list(constraint([run_of([], {"constraint": found | {"left_out": {}}})]))
    assert "every keyword of all 99 schemas" in texts(whole)


def test_nothing_is_said_of_what_was_not_done(make_result: Make) -> None:
    assert list(constraint([run_of([], {"constraint": None}), run_of([])])) == []
    assert list(disagreements(run_of([make_result(0, True), make_result(1, False)]))) == []


def test_disagreements_are_shown_with_both_answers_and_the_reason(make_result: Make) -> None:
    wrong = [make_result(n, False, teacher_verdict="accept", teacher_reason="looks fine") for n in range(SHOWN + 2)]
    blocks = list(disagreements(run_of([*wrong, make_result(99, True, teacher_verdict="reject")])))
    told = texts(blocks)
    assert f"{SHOWN + 2}, of which the first {SHOWN}" in told and told.count("looks fine") == SHOWN
    assert "Rejected by the judge, of the same meaning by execution: 1" in told and "q99, the judge" in told
    assert "orders above 5" in told and '"operator": "lt"' in told and '"operator": "gt"' in told
