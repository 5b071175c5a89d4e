"""`astudent compare` on runs with known outcomes: its figures, what it leaves out, and what it refuses."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.stats.contingency_tables as tables
from evaluated import OTHER, row_of, write_rows, write_run
from statsmodels.stats import multitest, proportion
from typer.testing import CliRunner, Result

from astudent.command import app
from astudent.side_by_side.runs import labels

GOOD = [number % 4 != 0 for number in range(60)]
BAD = [number % 4 == 1 for number in range(60)]


def compare(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def compared(tmp_path: Path, *arguments: Any, exit_code: int = 0) -> dict[str, Any]:
    result = compare(*arguments, "--json", tmp_path / "out.json")
    assert result.exit_code == exit_code, result.output
    return json.loads((tmp_path / "out.json").read_text())


def test_a_pair_is_what_the_references_say(tmp_path: Path) -> None:
    found = compared(tmp_path, write_run(tmp_path / "bad", BAD), write_run(tmp_path / "good", GOOD))
    figures = found["splits"]["test_unseen"]
    (pair,) = figures["pairs"]
    wins, losses = (sum(a and not b for a, b in zip(x, y, strict=True)) for x, y in ((GOOD, BAD), (BAD, GOOD)))
    reference: Any = tables.mcnemar(np.array([[0, wins], [losses, 0]]), exact=True)
    assert (pair["before"], pair["after"], pair["wins"], pair["losses"]) == ("bad", "good", wins, losses)
    assert pair["p_value"] == pair["p_adjusted"] == pytest.approx(reference.pvalue)
    assert pair["difference"] == pytest.approx(np.mean(GOOD) - np.mean(BAD)) and pair["verdict"] == "better"
    low, high = pair["interval"]
    assert 0 < low < pair["difference"] < high and pair["detectable"] < 0.4
    interval = figures["rates"]["good"]["intervals"]["semantic_pass_rate"]
    assert interval == pytest.approx(proportion.proportion_confint(sum(GOOD), 60, method="wilson"))
    assert found["metric"] == "semantic_pass" and found["left_out"] == {} and found["notes"] == []


def test_several_runs_are_adjusted_together_and_the_reference_is_named(tmp_path: Path) -> None:
    rng = random.Random(1)
    folders = [write_run(tmp_path / f"run{n}", [rng.random() < n / 8 for _ in range(60)]) for n in range(3, 7)]
    found = compared(tmp_path, *folders, "--reference", folders[2])
    pairs = found["splits"]["test_unseen"]["pairs"]
    assert [pair["after"] for pair in pairs] == ["run3", "run4", "run6"] and found["reference"] == "run5"
    adjusted = multitest.multipletests([pair["p_value"] for pair in pairs], method="holm")[1]
    assert [pair["p_adjusted"] for pair in pairs] == pytest.approx(list(adjusted))
    assert max(pair["p_adjusted"] / pair["p_value"] for pair in pairs) == pytest.approx(3)


def test_what_not_all_runs_answered_is_left_out_and_counted(tmp_path: Path) -> None:
    found = compared(tmp_path, write_run(tmp_path / "a", BAD), write_run(tmp_path / "b", GOOD[:40]))
    assert found["splits"]["test_unseen"]["pairs"][0]["samples"] == 40
    assert found["splits"]["test_unseen"]["rates"]["a"]["samples"] == 40, "rates are of the same samples too"
    assert found["left_out"] == {"a": {"test_unseen": 20}}
    assert "a: 20 of test_unseen left out" in compare(tmp_path / "a", tmp_path / "b").output


def test_slices_hold_each_sample_once_and_are_adjusted_in_their_table(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "bad", BAD), write_run(tmp_path / "good", GOOD)]
    by = compared(tmp_path, *folders, "--by", "language", "--by", "field type", "--by", "grade")["splits"][
        "test_unseen"
    ]["by"]
    assert {value: part["samples"] for value, part in by["language"].items()} == {"en": 30, "fr": 30}
    assert {value: part["samples"] for value, part in by["field type"].items()} == {"enum": 30, "number": 30}
    pairs = {value: part["pairs"][0] for value, part in by["language"].items()}
    assert pairs["en"]["wins"] == sum(good and not bad for good, bad in list(zip(GOOD, BAD, strict=True))[::2])
    adjusted = multitest.multipletests([pair["p_value"] for pair in pairs.values()], method="holm")[1]
    assert [pair["p_adjusted"] for pair in pairs.values()] == pytest.approx(list(adjusted))
    assert by["grade"] == {} and "No sample has a grade." in compare(*folders, "--by", "grade").output


def test_worse_can_fail(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "good", GOOD), write_run(tmp_path / "bad", BAD)]
    assert compare(*folders).exit_code == 0
    result = compare(*folders, "--fail-when-worse")
    assert result.exit_code == 1 and "worse than good: bad on test_unseen" in result.stderr
    assert compare(*reversed(folders), "--fail-when-worse").exit_code == 0


def test_other_judges_are_not_compared_by_their_verdicts(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path / "a", BAD),
        write_run(tmp_path / "b", GOOD, judge={"provider": "ollama", "model": "m"}),
    ]
    found = compared(tmp_path, *folders)
    assert found["metric"] == "equivalent" and "one and the same judge" in found["notes"][0]
    result = compare(*folders, "--metric", "semantic_pass")
    assert result.exit_code == 2 and "not all read by one and the same judge" in result.stderr
    unjudged = write_run(tmp_path / "c", GOOD, judge=None)
    assert compared(tmp_path, unjudged, write_run(tmp_path / "d", BAD, judge=None))["metric"] == "equivalent"


def test_samples_whose_judge_failed_are_in_no_pair(tmp_path: Path) -> None:
    rows = [row_of(number, right) for number, right in enumerate(GOOD)]
    rows[1] = rows[1].model_copy(update={"teacher_verdict": "error", "semantic_pass": None})
    found = compared(tmp_path, write_run(tmp_path / "bad", BAD), write_rows(tmp_path / "good", rows))
    assert found["splits"]["test_unseen"]["pairs"][0]["samples"] == 59
    assert found["splits"]["test_unseen"]["rates"]["good"]["teacher_errors"] == 1


def test_what_was_asked_must_be_the_same(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", GOOD)
    changed = [row_of(number, True) for number in range(60)]
    others: dict[int, dict[str, Any]] = {7: {"query": "another one"}, 8: {"ast_json": OTHER}, 9: {"schema_id": "s99"}}
    for number, other in others.items():
        rows = list(changed)
        rows[number] = row_of(number, True, **other)
        result = compare(first, write_rows(tmp_path / "b", rows))
        assert result.exit_code == 1 and f"1 of 60 samples are not the same in a and b, as q{number}" in result.stderr


def test_samples_that_come_twice_are_refused(tmp_path: Path) -> None:
    rows = [row_of(number, True) for number in (0, 1, 2, 1, 2)]
    result = compare(write_run(tmp_path / "a", GOOD), write_rows(tmp_path / "b", rows))
    assert result.exit_code == 1 and "2 samples are there more than once, as q1 of test_unseen" in result.stderr


def test_another_data_set_of_the_same_samples_is_said(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "a", GOOD), write_run(tmp_path / "b", BAD, dataset_sha256="e" * 64)]
    (note,) = compared(tmp_path, *folders)["notes"]
    assert note.startswith("Not the same in all runs: dataset_sha256")


def test_what_cannot_be_compared_is_a_usage_error(tmp_path: Path) -> None:
    a, b = write_run(tmp_path / "a", GOOD), write_run(tmp_path / "b", BAD)
    others = write_rows(tmp_path / "c", [row_of(100, True)])
    (tmp_path / "empty").mkdir()
    for arguments, told in (
        ([a], "one run cannot be compared"),
        ([a, tmp_path / "b" / ".." / "a"], "named twice"),
        ([a, others], "share no sample"),
        ([a, tmp_path / "empty"], "no summary of an evaluation"),
        ([a, b, "--metric", "luck"], "no such metric"),
        ([a, b, "--by", "moon"], "no such slice"),
    ):
        result = compare(*arguments)
        assert result.exit_code == 2 and told in result.stderr, arguments


def test_files_that_lack_a_metric_or_a_line_say_so(tmp_path: Path) -> None:
    old = [row_of(number, True).model_copy(update={"json_exact": None}) for number in range(6)]
    folders = [write_rows(tmp_path / name, old) for name in "ab"]
    result = compare(*folders, "--metric", "json_exact")
    assert result.exit_code == 2 and "before it was measured" in result.stderr
    with (tmp_path / "b" / "evaluation_results.jsonl").open("a") as file:
        file.write('{"query_id": 3}\n')
    result = compare(*folders)
    assert result.exit_code == 1 and "evaluation_results.jsonl:7" in result.stderr


def test_the_page_escapes_what_strangers_named(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "<script>x", GOOD, adapter="<b>&"), write_run(tmp_path / "b", BAD)]
    assert compare(*folders, "--html", tmp_path / "out.html").exit_code == 0
    page = (tmp_path / "out.html").read_text()
    assert "<script>" not in page and "&lt;script&gt;x" in page and "&lt;b&gt;&amp;" in page


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["o/eval", "o/eval-dpo"], ["eval", "eval-dpo"]),
        (["o/eval", "o/eval/constrained"], ["eval", "constrained"]),
        (["o/eval/constrained", "o/eval-base/constrained"], ["eval/constrained", "eval-base/constrained"]),
        (["x/o/eval", "y/o/eval"], ["x/o/eval", "y/o/eval"]),
    ],
)
def test_labels_are_as_short_as_they_can_be(folders: list[str], expected: list[str]) -> None:
    assert labels([Path(folder) for folder in folders]) == expected
