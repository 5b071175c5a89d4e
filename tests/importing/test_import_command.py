"""`astudent import`: what it writes, prints and exits with."""

import json
from pathlib import Path
from typing import Any

from sample_sets import MAPPINGS, SAMPLES
from typer.testing import CliRunner, Result

from astudent.command import app
from astudent.jsonl import read_objects

GOOD = [{"text": f"number {n}", "answer": {"n": n}} for n in range(3)]


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def written(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_several_files_with_one_flag_or_many(small_mapping: Path, tmp_path: Path):
    files = [written(tmp_path / f"{n}.jsonl", [row]) for n, row in enumerate(GOOD)]
    one, many = tmp_path / "one.jsonl", tmp_path / "many.jsonl"
    assert run("--mapping", small_mapping, "--in", *files, "--out", one).exit_code == 0
    repeated = [part for file in files for part in ("--in", file)]
    result = run("--mapping", small_mapping, *repeated, "--out", many)
    assert one.read_bytes() == many.read_bytes() and [row["ast_json"]["n"] for row in read_objects(one)] == [0, 1, 2]
    assert "3 rows (test_unseen 3) from 3 records; 0 left out by the mapping; 0 rejected" in result.stdout


def test_rejects_are_named_and_nothing_is_written(small_mapping: Path, tmp_path: Path):
    bad = written(tmp_path / "bad.jsonl", [GOOD[0], {"text": "two"}, GOOD[1], GOOD[1]])
    bad.write_text(bad.read_text() + "{\n")
    out, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    out.write_text("before\n")
    result = run("--mapping", small_mapping, "--in", bad, "--out", out, "--rejects", rejects, "--top", 1)
    assert result.exit_code == 1 and out.read_text() == "before\n"
    assert "bad.jsonl:2: nothing stands at /row/answer" in result.stdout and "bad.jsonl:4" not in result.stdout
    assert "2 rows (test_unseen 2) from 5 records; 0 left out by the mapping; 3 rejected" in result.stderr
    assert [(row["line"], row["reason"][:8]) for row in read_objects(rejects)] == [
        (2, "nothing "),
        (4, "request,"),
        (5, "not JSON"),
    ]
    allowed = run("--mapping", small_mapping, "--in", bad, "--out", out, "--allow-rejects")
    assert allowed.exit_code == 0 and len(list(read_objects(out))) == 2


def test_what_is_left_out_is_counted_and_an_empty_set_is_none(tmp_path: Path):
    dialogues, out = SAMPLES / "dialogues.json", tmp_path / "out.jsonl"
    second = f"service={SAMPLES / 'services.json'}"
    result = run("--mapping", MAPPINGS / "dialogue_states.json", "--in", dialogues, "--out", out, "--with", second)
    assert "4 rows (test_unseen 4) from 2 records; 1 left out" in result.stdout
    (tmp_path / "empty.jsonl").write_text("")
    nothing = tmp_path / "nothing.jsonl"
    empty = run("--mapping", MAPPINGS / "xlam.json", "--in", tmp_path / "empty.jsonl", "--out", nothing)
    assert empty.exit_code == 1 and not nothing.exists()


def test_usage_errors_are_one_line_and_exit_2(small_mapping: Path, tmp_path: Path):
    rows, out = written(tmp_path / "rows.jsonl", GOOD), tmp_path / "out.jsonl"
    spider = MAPPINGS / "spider.json"
    for arguments, message in (
        (("--mapping", tmp_path / "no.json", "--in", rows), "no.json: No such file"),
        (("--mapping", small_mapping, "--in", tmp_path / "no.jsonl"), "no.jsonl: No such file"),
        (("--mapping", small_mapping, "--in", rows, "--with", "x"), "--with x: no NAME=FILE"),
        (("--mapping", small_mapping, "--in", rows, "--with", "x=y"), "the mapping has no lookup of that name"),
        (("--mapping", spider, "--in", rows), "needs the file of database. Give --with database=FILE."),
        (("--mapping", spider, "--in", rows, "--with", f"database={tmp_path}/no.json"), "no.json: No such file"),
    ):
        result = run(*arguments, "--out", out)
        assert result.exit_code == 2 and message in result.stderr and not out.exists(), result.output
