"""The benchmark tasks from their rows to the report, with the student that this repository ships and two steps of training."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from small_tasks import ROOT, config_of

from astudent.cli import Options
from astudent.evaluation.results import ResultRow
from astudent.jsonl import read_objects, read_rows
from astudent.settings import Config

TRAINING: dict[str, Any] = {
    "max_steps": 2,
    "batch_size": 2,
    "rows_per_schema": 2,
    "eval_max_samples": 2,
    "eval_steps": 2,
    "logging_steps": 1,
    "save_steps": 2,
    "generation_eval_steps": 2,
    "generation_eval_samples": 1,
    "generation_eval_max_new_tokens": 4,
}
EVALUATION: dict[str, Any] = {"max_samples": 3, "max_new_tokens": 12}


def run(config: Config, *stages: str) -> None:
    for stage in stages:
        import_module(f"astudent.stages.{stage}").run(config, Options(config="config/mine.json"))


@pytest.mark.parametrize("task", ["support", "documents"])
def test_base_and_adapter_stand_side_by_side(task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = config_of(task, tmp_path, training=TRAINING, evaluation=EVALUATION)
    run(config, "dataset", "corpus", "train", "evaluate", "report")
    lines = list(read_objects(config.report.training_metrics))
    assert [line["step"] for line in lines if "loss" in line] == [1, 2]
    for folder, adapter in (
        (config.evaluation.base_out_dir, "none"),
        (config.evaluation.out_dir, config.evaluation.adapter),
    ):
        summary = json.loads((Path(folder) / "evaluation_summary.json").read_text())
        assert (summary["run"]["adapter"], summary["samples"], summary["split"]) == (adapter, 3, "test_seen")
        own = summary["splits"]["test_seen"]["task"]
        assert own["name"] == task and own["all"]["samples"] == 3
        assert summary["run"]["adapter_gate"] == (None if adapter == "none" else "pass")
        assert list(summary["baselines"]) == ["nearest_neighbour"]
    rows = list(read_rows(Path(config.evaluation.out_dir) / "evaluation_results.jsonl", ResultRow))
    assert {row.grade is None for row in rows} == {task == "support"}
    text = (Path(config.report.out_dir) / "report.md").read_text(encoding="utf-8")
    assert f"taught by the task {task}" in text and f"## The task {task}, version" in text
    assert "| all | 3 |" in text and {"support": "| trap: ", "documents": "| grade: simple | 3 |"}[task] in text
