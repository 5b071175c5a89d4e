"""Foreign rows end to end: imported, through the gate, answered by the tiny student in stage 07, into the report."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from sample_sets import SETS, arguments
from small_tasks import ROOT
from typer.testing import CliRunner

from astudent.cli import Options
from astudent.command import app
from astudent.config import load_config
from astudent.evaluation.results import ResultRow
from astudent.jsonl import read_rows


def test_imported_sets_pass_the_gate_and_are_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    files = [tmp_path / f"{name}.jsonl" for name in SETS]
    for name, file in zip(SETS, files, strict=True):
        assert CliRunner().invoke(app, arguments(name, file)).exit_code == 0
    assert CliRunner().invoke(app, ["gate", "--quiet", *map(str, files)]).exit_code == 0
    dataset = tmp_path / "dataset.jsonl"
    dataset.write_bytes(b"".join(file.read_bytes() for file in files))
    changed = {
        "adapter": "none",
        "out_dir": f"{tmp_path}/eval",
        "base_out_dir": f"{tmp_path}/eval",
        "teacher": "embedded",
    }
    changed |= {"dataset": str(dataset), "splits": ["test_unseen"], "max_samples": 9, "max_new_tokens": 16}
    overrides = {f"evaluation.{key}": value for key, value in changed.items()}
    config = load_config("config/embedded.json", overrides | {"run.outputs_root": str(tmp_path)})
    import_module("astudent.stages.evaluate").run(config, Options())
    rows = list(read_rows(tmp_path / "eval/evaluation_results.jsonl", ResultRow))
    assert len(rows) == 9 and {row.query_id.partition("-")[0] for row in rows} >= {"states", "spider", "xlam"}
    assert all(row.prompt_text and row.completion_tokens and row.teacher_verdict == "reject" for row in rows)
    summary = json.loads((tmp_path / "eval/evaluation_summary.json").read_text())
    assert summary["split"] == "test_unseen" and summary["samples"] == 9
    assert list(summary["baselines"]) == ["nearest_neighbour"], (
        "no words are copied where the schema is no query language"
    )
