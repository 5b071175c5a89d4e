"""Choosing samples, and the phase that writes answers: order, resume, batches."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from astudent.errors import RunError
from astudent.evaluation.answers import Answer, read_answers, write_answers
from astudent.evaluation.samples import Sample, SchemaLimit, choose_samples
from astudent.records import DatasetRow

Make = Callable[..., DatasetRow]


@pytest.fixture(autouse=True)
def one_batch_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("astudent.evaluation.answers.WAVE", 1)


class Echo:
    """Answers with the request's id and its place in the wave; remembers what it was asked."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.asked: list[list[str]] = []
        self._stop_after = stop_after

    def answer(self, samples: Sequence[Sample]) -> list[Answer]:
        if len(self.asked) >= self._stop_after:
            raise KeyboardInterrupt
        self.asked.append([sample.query_id for sample in samples])
        return [Answer("p", f"{s.query_id}/{place}", 3, 2, "stop", 0.1) for place, s in enumerate(samples)]

    def facts(self) -> dict[str, Any]:
        return {}


def rows_of(row: Make, schemas: int, each: int, **given: Any) -> list[DatasetRow]:
    return [row(100 * s + i, schema_id=f"s{s}", **given) for s in range(schemas) for i in range(each)]


def test_max_samples_spreads_over_schemas_and_only_grows(row: Make):
    rows = rows_of(row, schemas=3, each=4)
    five, seven = (choose_samples(rows, ["test_unseen"], n, False) for n in (5, 7))
    assert [s.query_id for s in five] == ["q0", "q100", "q200", "q1", "q101"]
    assert seven[:5] == five


def test_few_schemas_are_taken_whole_and_from_both_grades_of_names(row: Make):
    rows = [
        r
        for s in range(8)
        for r in (row(100 * s + i, schema_id=f"s{s}", names=("seen", "new")[s > 3]) for i in range(3))
    ]
    two, four = (
        [s.row for s in choose_samples(rows, ["test_unseen"], None, False, SchemaLimit(n, 0.5))] for n in (2, 4)
    )
    assert len(two) == 6 and {r.names for r in two} == {"seen", "new"}
    assert {r.schema_id for r in two} < {r.schema_id for r in four}


@pytest.mark.parametrize(("share", "most", "new"), [(0.75, 4, 3), (0, 4, 0), (1, 3, 3), (0.75, 7, 4), (1, 8, 4)])
def test_some_kind_of_names_may_be_asked_more_often(row: Make, share: float, most: int, new: int):
    rows = [row(s, schema_id=f"s{s}", names=("seen", "new")[s > 3]) for s in range(8)]
    chosen = choose_samples(rows, ["test_unseen"], None, False, SchemaLimit(most, share))
    assert len(chosen) == most and sum(sample.row.names == "new" for sample in chosen) == new


def test_splits_come_in_their_order_and_train_rows_stay_out(row: Make):
    rows = [row(1, split="test_seen"), row(2, split="train"), row(3)]
    assert [s.query_id for s in choose_samples(rows, ["test_unseen", "test_seen"], None, False)] == ["q3", "q1"]


def test_repair_prompts_on_demand(row: Make):
    broken = row(2, is_valid=False, positive_id="q1", ast_json={"limit": "x"}, validator_message="limit: no")
    orphan = row(3, is_valid=False, positive_id="q9")
    plain, repair = choose_samples([row(1), broken, orphan], ["test_unseen"], None, True)
    assert (plain.kind, repair.kind, repair.broken_ast, repair.message) == (
        "plain",
        "repair",
        {"limit": "x"},
        "limit: no",
    )
    assert repair.row.query_id == "q1"
    assert len(choose_samples([row(1), broken], ["test_unseen"], None, False)) == 1


def test_a_split_without_rows_is_named(row: Make):
    with pytest.raises(RunError, match="no valid row of split 'align'"):
        choose_samples([row(1)], ["align"], None, False)


def test_waves_keep_a_schema_together(row: Make, tmp_path: Path):
    samples = choose_samples(rows_of(row, schemas=2, each=3), ["test_unseen"], None, False)
    student = Echo()
    assert write_answers(samples, student, tmp_path / "a.jsonl", batch_size=2) == 6
    assert [s.query_id for s in samples[:3]] == ["q0", "q100", "q1"], "asked in turn"
    assert student.asked == [["q0", "q1"], ["q2", "q100"], ["q101", "q102"]]


def test_the_student_is_asked_for_several_batches_at_once(row: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("astudent.evaluation.answers.WAVE", 2)
    student = Echo()
    samples = choose_samples(rows_of(row, schemas=1, each=5), ["test_unseen"], None, False)
    assert write_answers(samples, student, tmp_path / "a.jsonl", batch_size=2) == 5
    assert [len(wave) for wave in student.asked] == [4, 1]


def test_answers_that_came_before_a_kill_are_kept(row: Make, tmp_path: Path):
    class Stopped(Echo):
        def answer(self, samples: Sequence[Sample]):
            yield from super().answer(samples)[:1]
            raise KeyboardInterrupt

    samples = choose_samples(rows_of(row, schemas=1, each=2), ["test_unseen"], None, False)
    with pytest.raises(KeyboardInterrupt):
        write_answers(samples, Stopped(), tmp_path / "a.jsonl", 2)
    assert list(read_answers(tmp_path / "a.jsonl")) == ["q0"]
    assert write_answers(samples, Echo(), tmp_path / "a.jsonl", 2) == 1


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_a_stopped_run_ends_with_the_same_file(row: Make, tmp_path: Path, stop_after: int):
    samples = choose_samples(rows_of(row, schemas=2, each=3), ["test_unseen"], None, False)
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    write_answers(samples, Echo(), whole, 2)
    with pytest.raises(KeyboardInterrupt):
        write_answers(samples, Echo(stop_after), stopped, 2)
    with stopped.open("ab") as file:
        file.write(b'{"query_id":"q10')  # a kill in the middle of a row
    write_answers(samples, Echo(), stopped, 2)
    assert stopped.read_bytes() == whole.read_bytes()


def test_a_wave_that_was_cut_is_asked_as_a_whole(row: Make, tmp_path: Path):
    samples = choose_samples(rows_of(row, schemas=1, each=4), ["test_unseen"], None, False)
    path = tmp_path / "a.jsonl"
    write_answers(samples, Echo(), path, 2)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]))
    student = Echo()
    assert write_answers(samples, student, path, 2) == 1
    assert student.asked == [["q2", "q3"]] and path.read_bytes() == b"".join(lines)


def test_answers_are_read_by_id(row: Make, tmp_path: Path):
    samples = choose_samples([row(1)], ["test_unseen"], None, False)
    write_answers(samples, Echo(), tmp_path / "a.jsonl", 2)
    assert read_answers(tmp_path / "a.jsonl")["q1"].text == "q1/0"
    assert read_answers(tmp_path / "none.jsonl") == {}
