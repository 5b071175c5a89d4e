"""Stage 08: the report of hand-made runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astudent.cli import Options
from astudent.errors import RunError
from astudent.evaluation.results import ResultRow
from astudent.evaluation.summary import summarise
from astudent.jsonl import write_atomic
from astudent.report.plots import smoothed
from astudent.report.runs import load_runs, load_training
from astudent.report.training import notes
from astudent.settings import Config
from astudent.stages.report import run

Make = Callable[..., ResultRow]


def write_run(folder: str | Path, rows: list[ResultRow], judge: dict[str, str] | None) -> None:
    folder = Path(folder)
    write_atomic(folder / "evaluation_results.jsonl", rows)
    summary = {**summarise(rows, "test_unseen"), "run": {"adapter": "a", "judge": judge}}

    write_atomic(folder / "evaluation_summary.json", json.dumps(summary))


def metrics(with_roles: bool) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for step in range(10, 210, 10):
        lines.append({"step": step, "epoch": step / 100, "loss": 10 / step, "grad_norm": 1.0, "learning_rate": 1e-3})
        if step % 100 == 0:
            roles = {"KEY": 5 / step, "NUMBER": 20 / step, "BOOLEAN": None}
            more = {"loss_by_role": roles, "tokens_by_role": {"KEY": 30, "NUMBER": 10}} if with_roles else {}
            lines.append({"step": step, "epoch": step / 100, "eval_loss": 11 / step, **more})
    return lines


@pytest.fixture
def evaluated(config: Config, make_result: Make) -> Config:
    """Base wrong, SFT mostly right, DPO the same, on forty samples of five schemas; with training metrics."""
    judge = {"provider": "embedded", "model": "embedded"}
    evaluation = config.evaluation
    for folder, bar in ((evaluation.base_out_dir, 0), (evaluation.out_dir, 30), (evaluation.dpo_out_dir, 30)):
        write_run(folder, [make_result(n, n < bar) for n in range(40)], judge)
    for name in ("nearest_neighbour", "word_copying"):
        rows = [make_result(n, n < 4) for n in range(40)]
        write_atomic(Path(evaluation.base_out_dir) / f"baseline_{name}.jsonl", rows)
    write_atomic(Path(config.report.training_metrics), metrics(with_roles=True))
    return config


def test_the_report_says_how_good_and_against_what(evaluated: Config, capsys: pytest.CaptureFixture[str]):
    run(evaluated, Options())
    folder = Path(evaluated.report.out_dir)
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "**Semantic pass on unseen schemas, all: 75.0% (60-86) of 40 requests over 5 schemas.**" in text
    assert "unseen schemas, seen names" in text and "unseen schemas, new names" in text
    assert "| nearest neighbour |" in text and "| word copying |" in text
    assert "| base → SFT | unseen schemas | 40 | 30 | 0 | +75.0 |" in text and "| better |" in text
    assert "| SFT → DPO | unseen schemas | 40 | 0 | 0 | +0.0 | +0.0 to +0.0 | 1.000 | 22.9 | same |" in text
    assert "| KEY | 30 | 0.05 | 0.025 | -50% | 43% |" in text
    assert "| gt | 75% | 30 | 10 |" in text and "| operator wrong | 10 | 100% |" in text
    assert '| where.operator | "gt" | "lt" |' in text and "| Python |" in text
    assert "embedded teacher" in text and "The judge against execution" not in text
    for plot in ("rates", "slices", "loss_curves", "role_losses"):
        assert (folder / "plots" / f"{plot}.png").read_bytes()[:4] == b"\x89PNG"
    assert (folder / "report.html").read_text(encoding="utf-8").count("data:image/svg+xml") == 4
    capsys.readouterr()
    run(evaluated, Options())
    assert "complete, nothing to do" in capsys.readouterr().out


def test_the_report_says_what_the_held_out_pairs_say(evaluated: Config):
    held_out = {"pairs": 12, "margin": 0.5, "interval": [0.25, 0.75], "preferred": 0.75}
    for folder, facts in ((evaluated.alignment.output_dir, held_out), (evaluated.alignment.control_output_dir, None)):
        write_atomic(Path(folder) / "training_metrics.jsonl", [{"step": 1, "loss": 0.7}, {"step": 6, "loss": 0.6}])
        write_atomic(Path(folder) / "run_config.json", json.dumps({"facts": {"held_out": facts}}))
    run(evaluated, Options())
    text = (Path(evaluated.report.out_dir) / "report.md").read_text(encoding="utf-8")
    assert "| DPO | 12 | +0.50 | +0.25 to +0.75 | 75.0% |" in text and "| control |" not in text


def test_equal_runs_make_equal_reports(evaluated: Config):
    run(evaluated, Options())
    folder = Path(evaluated.report.out_dir)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    run(evaluated, Options(fresh=True))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_report_without_judge_metrics_and_neighbours(config: Config, make_result: Make):
    rows = [make_result(n, n < 3, teacher_verdict=None, teacher_reason=None, semantic_pass=None) for n in range(8)]
    write_run(config.evaluation.out_dir, rows, None)
    run(config, Options())
    text = (Path(config.report.out_dir) / "report.md").read_text(encoding="utf-8")
    assert "**Equivalent by execution on unseen schemas, all: 37.5%" in text
    assert "No judge was asked" in text and "No training metrics at" in text
    assert "The base model was not evaluated" in text and "Is the difference real" not in text


def test_nothing_evaluated_is_one_line(config: Config):
    with pytest.raises(RunError, match=r"evaluation_results\.jsonl: no such file"):
        run(config, Options())


def test_metrics_without_roles_still_plot(evaluated: Config):
    write_atomic(Path(evaluated.report.training_metrics), metrics(with_roles=False))
    run(evaluated, Options())
    text = (Path(evaluated.report.out_dir) / "report.md").read_text(encoding="utf-8")
    assert "loss_curves.png" in text and "grammar role" not in text


def test_lines_are_told_apart(tmp_path: Path):
    write_atomic(tmp_path / "m.jsonl", [*metrics(True), {"step": 200, "eval_parsed_rate": 0.5}])
    log = load_training(tmp_path / "m.jsonl")
    assert (len(log.train), len(log.evaluation), len(log.generation)) == (20, 2, 1)


def test_smoothing_has_no_bias_at_its_start():
    assert smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0, 3.0, 3.0])


def test_departures_from_the_plan_are_said_first(evaluated: Config):
    facts = {"self_check": {"mode": "plain", "reason": "packs differ"}, "gate": "fail"}
    record = {"settings": {"training.seed": 1}, "inputs": {"corpus": "abc"}, "facts": facts}
    write_atomic(Path(evaluated.training.output_dir) / "run_config.json", json.dumps(record))
    said = "\n".join(str(block) for block in notes(evaluated, load_runs(evaluated)))
    assert "SFT trained on plain batches instead of packs: packs differ" in said
    assert "quality gate says: fail" in said
