"""From answers to judged rows, rates, comparisons and pairs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astudent.errors import UsageError
from astudent.evaluation.comparison import compare_runs
from astudent.evaluation.judging import Judge, execution_judge, write_results
from astudent.evaluation.pairs import build_pairs
from astudent.evaluation.results import AnswerRow, ResultRow
from astudent.evaluation.samples import Sample, choose_samples
from astudent.evaluation.summary import summarise
from astudent.jsonl import read_rows
from astudent.records import DatasetRow

Make = Callable[..., DatasetRow]
RIGHT = '{"where":{"field":"status","operator":"eq","value":"open"}}'
REORDERED = ' {"where": {"value": "open", "field": "status", "operator": "eq"}}'
SAME_MEANING = '{"where":{"not":{"field":"status","operator":"neq","value":"open"}}}'
WRONG = '{"where":{"field":"status","operator":"eq","value":"on_hold"}}'
INVALID = '{"where":{"field":"colour","operator":"eq","value":"open"}}'
BROKEN = '{"where":{"field"'
TEXTS = (RIGHT, REORDERED, SAME_MEANING, WRONG, INVALID, BROKEN)


async def by_execution(sample: Sample, score: Any) -> Any:
    return execution_judge(sample, score)


def always(verdict: Any, reason: str) -> Judge:
    async def judge(sample: Sample, score: Any) -> Any:
        return verdict, reason

    return judge


def answer(query_id: str, text: str, finish: Any = "stop") -> AnswerRow:
    return AnswerRow(
        query_id=query_id,
        kind="plain",
        prompt_text=f"prompt of {query_id}",
        text=text,
        prompt_tokens=10,
        completion_tokens=5,
        finish=finish,
        latency_seconds=0.5,
    )


@pytest.fixture
def judged(row: Make, tmp_path: Path) -> Callable[..., list[ResultRow]]:
    """Result rows for one answer each, all to the same request."""

    def make(*texts: str, judge: Judge | None = by_execution, ahead: int = 1, **given: Any) -> list[ResultRow]:
        rows = [row(number, **given) for number, _ in enumerate(texts)]
        samples = choose_samples(rows, [rows[0].split], None, False)
        answers = {f"q{number}": answer(f"q{number}", text) for number, text in enumerate(texts)}
        path = tmp_path / "results.jsonl"
        path.unlink(missing_ok=True)
        asyncio.run(write_results(samples, answers, path, decoding="free", judge=judge, ahead=ahead))
        return list(read_rows(path, ResultRow))

    return make


def column(rows: list[ResultRow], name: str) -> list[Any]:
    return [getattr(row, name) for row in rows]


def test_each_grade_of_right_and_wrong(judged: Callable[..., list[ResultRow]]):
    rows = judged(*TEXTS)
    assert column(rows, "parsed") == [True, True, True, True, True, False]
    assert column(rows, "schema_valid") == [True, True, True, True, False, False]
    assert column(rows, "exact_match") == [True, True, False, False, False, False]
    assert column(rows, "canonical_equal") == [True, True, False, False, False, False]
    assert column(rows, "equivalent") == [True, True, True, False, False, False]
    assert column(rows, "equivalent_by") == ["canonical", "canonical", "execution", None, None, None]
    assert column(rows, "semantic_pass") == [True, True, True, False, False, False]
    assert rows[1].student_canonical == rows[1].teacher_canonical == RIGHT
    assert rows[3].field_f1 == pytest.approx(2 / 3)
    assert "colour" in rows[4].schema_errors[0]


def test_the_judge_is_asked_about_valid_answers_only(judged: Callable[..., list[ResultRow]]):
    asked: list[str] = []

    async def judge(sample: Sample, score: Any) -> Any:
        asked.append(sample.query_id)
        return "accept", "fine"

    rows = judged(*TEXTS, judge=judge)
    assert asked == ["q0", "q1", "q2", "q3"]
    assert column(rows, "teacher_verdict") == ["accept"] * 4 + ["reject"] * 2
    assert rows[5].teacher_reason and rows[5].teacher_reason.startswith("no AST: not JSON")


def test_many_judgements_in_flight_change_nothing(judged: Callable[..., list[ResultRow]]):
    assert judged(*TEXTS * 3, ahead=4) == judged(*TEXTS * 3)


def test_results_resume(judged: Callable[..., list[ResultRow]], row: Make, tmp_path: Path):
    whole = judged(*TEXTS)
    path = tmp_path / "results.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:40])
    samples = choose_samples([row(number) for number in range(6)], ["test_unseen"], None, False)
    answers = {f"q{number}": answer(f"q{number}", text) for number, text in enumerate(TEXTS)}
    asyncio.run(write_results(samples, answers, path, decoding="free", judge=by_execution))
    assert list(read_rows(path, ResultRow)) == whole


def test_a_judge_that_fails_never_counts_against_the_student(judged: Callable[..., list[ResultRow]]):
    async def judge(sample: Sample, score: Any) -> Any:
        return ("error", "no") if sample.query_id == "q1" else ("accept", "")

    rows = judged(RIGHT, WRONG, judge=judge)
    summary = summarise(rows, "test_unseen")
    assert (summary["teacher_accept_rate"], summary["semantic_pass_rate"]) == (1, 1)
    assert (summary["judged"], summary["teacher_errors"], summary["samples"]) == (1, 1, 2)


def test_without_a_judge_its_rates_are_null(judged: Callable[..., list[ResultRow]]):
    summary = summarise(judged(*TEXTS, judge=None), "test_unseen")
    assert summary["teacher_accept_rate"] is None and summary["semantic_pass_rate"] is None
    assert summary["intervals"]["semantic_pass_rate"] is None
    assert summary["equivalent_rate"] == pytest.approx(0.5)


def test_summary_names_the_split_and_every_split(judged: Callable[..., list[ResultRow]]):
    rows = judged(*TEXTS) + judged(RIGHT, split="test_seen")
    summary = summarise(rows, "test_seen")
    assert summary["split"] == "test_seen" and summary["exact_match_rate"] == 1
    unseen = summary["splits"]["test_unseen"]
    assert unseen["parsed_rate"] == pytest.approx(5 / 6) and unseen["schema_valid_rate"] == pytest.approx(4 / 6)
    assert unseen["semantic_pass_rate"] == pytest.approx(0.5)
    assert unseen["slices"]["operator"]["eq"]["samples"] == 6
    assert unseen["judge_agreement"]["kappa"] == 1
    low, high = unseen["intervals"]["semantic_pass_rate"]
    assert low < 0.5 < high


def test_repair_rows_are_reported_apart(judged: Callable[..., list[ResultRow]]):
    rows = judged(RIGHT, WRONG)
    rows.append(rows[1].model_copy(update={"kind": "repair", "query_id": "r1"}))
    summary = summarise(rows, "test_unseen")
    assert summary["samples"] == 2 and summary["repair"]["test_unseen"]["samples"] == 1


def test_runs_compare_on_shared_samples(judged: Callable[..., list[ResultRow]]):
    before, after = judged(WRONG, WRONG, RIGHT), judged(RIGHT, WRONG, RIGHT, RIGHT)
    found = compare_runs(("base", before), ("SFT", after), "test_unseen")
    assert found and (found.metric, found.result.samples) == ("semantic_pass", 3)
    assert (found.result.wins, found.result.losses, found.result.verdict) == (1, 0, "same")
    assert compare_runs(("base", before), ("SFT", after), "test_seen") is None


def test_pairs_are_teacher_against_student(judged: Callable[..., list[ResultRow]]):
    pairs = build_pairs(judged(*TEXTS, split="align"))
    assert [(p.chosen, p.rejected) for p in pairs.kept] == [(RIGHT, WRONG), (RIGHT, INVALID)]
    assert pairs.kept[0].prompt == "prompt of q3" and pairs.kept[0].schema_id == "shop-00"
    assert pairs.dropped == {"accepted by the teacher": 3, "student answer did not parse": 1}


def test_all_takes_accepted_answers_that_differ_in_form(judged: Callable[..., list[ResultRow]]):
    pairs = build_pairs(judged(*TEXTS, split="align"), only_rejected=False, max_pairs=2)
    assert [p.rejected for p in pairs.kept] == [SAME_MEANING, WRONG]
    dropped = {"equal canonical forms": 2, "student answer did not parse": 1, "beyond max_pairs": 1}
    assert pairs.dropped == dropped


def test_pairs_of_one_shape_differ_in_names_and_values_alone(judged: Callable[..., list[ResultRow]]):
    pairs = build_pairs(judged(WRONG, '{"limit":1}', split="align"), same_shape=True)
    assert [p.rejected for p in pairs.kept] == [WRONG] and pairs.dropped == {"another shape": 1}


def test_a_wrong_answer_that_comes_again_makes_one_pair(judged: Callable[..., list[ResultRow]]):
    greedy, sampled = judged(WRONG, WRONG, split="align"), judged(WRONG, INVALID, split="align")
    pairs = build_pairs([*greedy, *sampled])
    assert [(p.query_id, p.rejected) for p in pairs.kept] == [("q0", WRONG), ("q1", WRONG), ("q1", INVALID)]
    assert pairs.dropped == {"the same wrong answer again": 1}


def test_a_chosen_that_is_wrong_is_dropped(judged: Callable[..., list[ResultRow]]):
    rows = judged(WRONG, WRONG, WRONG, split="align")
    rows[0] = rows[0].model_copy(update={"teacher_canonical": INVALID})
    rows[1] = rows[1].model_copy(update={"teacher_canonical": '{"limit":1}'})
    rows[2] = rows[2].model_copy(update={"teacher_verdict": "error"})
    assert build_pairs(rows).dropped == {
        "chosen breaks the schema": 1,
        "chosen is not equivalent to the known answer": 1,
        "teacher failed": 1,
    }


def test_a_reject_of_an_equal_answer_is_no_pair(judged: Callable[..., list[ResultRow]]):
    rows = judged(REORDERED, split="align", judge=always("reject", "no"))
    assert build_pairs(rows).dropped == {"equal canonical forms": 1}


def test_a_test_split_is_refused(judged: Callable[..., list[ResultRow]]):
    with pytest.raises(UsageError, match="row q0 is of split 'test_unseen'") as caught:
        build_pairs(judged(WRONG))
    assert caught.value.exit_code == 2
