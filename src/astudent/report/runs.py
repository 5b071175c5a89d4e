"""What a report is about: the evaluated runs that lie side by side, and the training metrics."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.errors import RunError
from astudent.evaluation.baselines import baseline_path, baselines_of
from astudent.evaluation.results import ResultRow
from astudent.jsonl import read_objects, read_rows
from astudent.settings import Config

Json = dict[str, Any]


@dataclass(frozen=True)
class EvaluatedRun:
    """One student (or baseline) on the samples; `summary` is empty for a baseline, `folder` where its files lie."""

    label: str
    folder: Path
    rows: Sequence[ResultRow]
    summary: Json

    @property
    def splits(self) -> list[str]:
        """Splits of the plain samples, in order."""
        return list(dict.fromkeys(row.split for row in self.rows if row.kind == "plain"))

    def of(self, split: str, **wanted: str) -> list[ResultRow]:
        """Plain rows of a split whose fields have the wanted values."""
        rows = (row for row in self.rows if row.kind == "plain" and row.split == split)
        return [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]


@dataclass(frozen=True)
class TrainingLog:
    """Lines of a training_metrics.jsonl: training lines hold `loss`, evaluation lines `eval_loss`.

    `generation` are the lines with rates of greedy answers on held-out rows (`eval_..._rate`).
    """

    train: Sequence[Json]
    evaluation: Sequence[Json]
    generation: Sequence[Json]


def load_runs(config: Config) -> list[EvaluatedRun]:
    """Baselines, base, SFT, DPO and control, each also constrained, as far as they were evaluated.

    RunError when the SFT adapter's own results are missing.
    """
    results = Path(config.report.eval_results)
    if not results.is_file():
        raise RunError(f"{results}: no such file", "Evaluate first: stage 07.")
    evaluation = config.evaluation
    students = {
        "base": Path(evaluation.base_out_dir),
        "SFT": results.parent,
        "DPO": Path(evaluation.dpo_out_dir),
        "control": Path(evaluation.control_out_dir),
    }
    runs = list(_baselines(config))
    for label, folder in students.items():
        runs += _run(label, folder, results.name)
    for label, folder in students.items():
        runs += _run(f"{label}, constrained", folder / "constrained", results.name)
    return runs


def load_training(path: Path) -> TrainingLog:
    """The metrics of a training run; empty when there are none."""
    lines = list(read_objects(path)) if path.is_file() else []
    return TrainingLog(
        train=[line for line in lines if _is_number(line.get("loss"))],
        evaluation=[line for line in lines if _is_number(line.get("eval_loss"))],
        generation=[line for line in lines if any(is_answer_rate(key) for key in line)],
    )


def is_answer_rate(key: str) -> bool:
    """Whether a key of a metrics line is a rate of generated answers."""
    return key.startswith("eval_") and key.endswith("_rate")


def read_json(path: Path) -> Json:
    """A JSON object from a file that may be absent: then empty."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path}: not JSON: {error}", "Make it again with --fresh.") from error
    return value if isinstance(value, dict) else {}


def result_files(config: Config) -> list[Path]:
    """Every file that a report with this configuration reads, of those that exist."""
    evaluation = config.evaluation
    results, summary = Path(config.report.eval_results).name, Path(config.report.eval_summary).name
    folders = [Path(config.report.eval_results).parent]
    folders += map(Path, (evaluation.base_out_dir, evaluation.dpo_out_dir, evaluation.control_out_dir))
    files = [folder / sub / name for folder in folders for sub in ("", "constrained") for name in (results, summary)]
    files += [baseline_path(Path(evaluation.base_out_dir), name) for name in baselines_of(config)]
    files += [Path(config.report.training_metrics), metrics_of(config.alignment.output_dir)]
    return [path for path in dict.fromkeys(files) if path.is_file()]


def metrics_of(folder: str) -> Path:
    """Where a trainer's metrics lie in its folder."""
    return Path(folder) / "training_metrics.jsonl"


def _run(label: str, folder: Path, name: str) -> Iterator[EvaluatedRun]:
    if (folder / name).is_file():
        yield EvaluatedRun(label, folder, _slim_rows(folder / name), read_json(folder / "evaluation_summary.json"))


def _baselines(config: Config) -> Iterator[EvaluatedRun]:
    folder = Path(config.evaluation.base_out_dir)
    for name in baselines_of(config):
        path = baseline_path(folder, name)
        if path.is_file() and (rows := _slim_rows(path)):
            yield EvaluatedRun(name.replace("_", " "), folder, rows, {})


def _slim_rows(path: Path) -> list[ResultRow]:
    """Rows without their schemas and prompts, which a report never shows and which fill memory."""
    return [row.model_copy(update={"schema_json": {}, "prompt_text": ""}) for row in read_rows(path, ResultRow)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
