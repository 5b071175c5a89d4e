"""The report's tables of a task's own figures."""

import json
from pathlib import Path

import pytest
from evaluated_task import write_evaluation

from astudent.cli import Options
from astudent.jsonl import write_atomic
from astudent.settings import Config
from astudent.stages.report import run


@pytest.fixture
def documents(config: Config) -> Config:
    """Base, adapter and a baseline of the documents task."""
    evaluation = config.evaluation
    write_evaluation(Path(evaluation.base_out_dir), 1)
    tuned = write_evaluation(Path(evaluation.out_dir), 3, "a", judge={"provider": "embedded", "model": "embedded"})
    nearest = write_evaluation(Path(evaluation.base_out_dir) / "nearest", 2)
    summary = json.loads((tuned / "evaluation_summary.json").read_text())
    splits = json.loads((nearest / "evaluation_summary.json").read_text())["splits"]
    write_atomic(tuned / "evaluation_summary.json", json.dumps({**summary, "baselines": {"nearest_neighbour": splits}}))
    rows = (nearest / "evaluation_results.jsonl").read_text()
    write_atomic(Path(evaluation.base_out_dir) / "baseline_nearest_neighbour.jsonl", rows)
    data = config.dataset_generation.model_copy({"task": "documents"})
    return config.model_copy({"dataset_generation": data})


def test_runs_stand_side_by_side_by_grade(documents: Config) -> None:
    run(documents, Options())
    text = (Path(documents.report.out_dir) / "report.md").read_text(encoding="utf-8")
    section = text.partition("## The task documents, version 1.0.0")[2].partition("## All rates")[0]
    assert "|  | n | nearest neighbour | base | SFT |" in section
    assert "| all | 4 | 50.0% (15-85) | 25.0% (5-70) | 75.0% (30-95) |" in section
    assert "| grade: simple | 4 | 50.0% (15-85) | 25.0% (5-70) | 75.0% (30-95) |" in section
    assert [line for line in section.splitlines() if line.startswith("### ")] == [
        "### JSONExact",
        "### Schema compliance",
        "### Invariants kept",
        "### Field F1",
    ]
    assert "taught by the task documents" in text and "The data are the benchmark task documents" in text
    assert "word copying" not in text and "embedded teacher" not in text
