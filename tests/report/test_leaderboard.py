"""LEADERBOARD.md: what a run adds, and that it adds it once."""

import json
from pathlib import Path

import pytest
from evaluated_task import HASH, write_evaluation

from astudent.errors import RunError, UsageError
from astudent.jsonl import read_rows
from astudent.report.leaderboard import BoardRow, add_runs, board_row
from astudent.report.measured import measured_run, short_hash


def add(page: Path, *folders: Path) -> int:
    return len(add_runs(page, map(measured_run, folders)))


def test_runs_stand_side_by_side_with_intervals(tmp_path: Path) -> None:
    page = tmp_path / "LEADERBOARD.md"
    base, tuned = write_evaluation(tmp_path / "base", 0), write_evaluation(tmp_path / "sft", 3, "runs/a")
    assert add(page, base, tuned) == 2
    first, second = page.read_text().split("## documents 1.0.0, test\\_seen, data 0123456789ab")[1].splitlines()[4:6]
    assert "| base model | free | org/base | - | - | 4 | 0.0% (0-49) |" in first
    assert f"| runs/a | free | org/base | {HASH[:12]} | pass | 4 | 75.0% (30-95) |" in second
    assert "--config config/documents.json --adapter runs/a" in second
    (_, row) = read_rows(page.with_suffix(".jsonl"), BoardRow)
    assert row.figures["json_exact"].value == 0.75 and row.rows == 4


def test_the_same_run_stands_there_once(tmp_path: Path) -> None:
    page, folder = tmp_path / "BOARD.md", write_evaluation(tmp_path / "sft", 3, "runs/a")
    assert (add(page, folder, folder), add(page, folder)) == (1, 0)
    before = page.read_text()
    write_evaluation(folder, 2, "runs/a")
    assert add(page, folder) == 1 and page.read_text().count("| runs/a |") == 2
    assert all(line in page.read_text() for line in before.splitlines())


def test_a_run_that_stands_there_from_before_is_not_added_again(tmp_path: Path) -> None:
    page, folder = tmp_path / "BOARD.md", write_evaluation(tmp_path / "sft", 3, "runs/a")
    add(page, folder)
    (row,) = [json.loads(line) for line in page.with_suffix(".jsonl").read_text().splitlines()]
    assert row["run"] == "aebcc46ac9ef"  # as rows had it that named no decoding
    del row["decoding"]
    page.with_suffix(".jsonl").write_text(json.dumps(row) + "\n")
    assert add(page, folder) == 0


def test_another_way_of_decoding_is_another_run(tmp_path: Path) -> None:
    page, ways = tmp_path / "BOARD.md", ({}, {"decoding": "constrained"}, {"decoding": "constrained", "beams": 4})
    folders = [write_evaluation(tmp_path / str(at), 3, "runs/a", **way) for at, way in enumerate(ways)]
    assert add(page, *folders) == 3
    found = list(read_rows(page.with_suffix(".jsonl"), BoardRow))
    assert [row.decoding for row in found] == ["free", "constrained", "constrained, 4 beams"]
    flags = [(row.command or "").split("--split test_seen")[1] for row in found]
    assert flags == ["", " --constrained", " --constrained --beams 4"]


def test_runs_on_other_data_stand_apart(tmp_path: Path) -> None:
    page = tmp_path / "BOARD.md"
    other = write_evaluation(tmp_path / "other", 1, "runs/a", dataset_sha256="f" * 64)
    assert add(page, write_evaluation(tmp_path / "one", 1, "runs/a"), other) == 2
    assert page.read_text().count("## documents") == 2


def test_a_served_student_is_known_by_its_digest(tmp_path: Path) -> None:
    told = {"adapter_sha256": None, "served_digest": "5e12ed" * 10}
    run = measured_run(write_evaluation(tmp_path / "eval", 3, "ollama:mine", **told))
    assert board_row(run).adapter == short_hash("5e12ed" * 10)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    page = tmp_path / "BOARD.md"
    add(page, write_evaluation(tmp_path / "one", 1, "a|b <script>\n# x"))
    assert "a\\|b \\<script\\> \\# x" in page.read_text()


def test_what_is_no_evaluation_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no summary of an evaluation"):
        measured_run(tmp_path)
    (tmp_path / "BOARD.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match=r"BOARD.jsonl:1:run"):
        add(tmp_path / "BOARD.md", write_evaluation(tmp_path / "one", 1))
