"""What the files of an evaluated run, and of its data, say of it; what they do not say stays unknown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from astudent.errors import UsageError
from astudent.evaluation.phases import SUMMARY_NAME
from astudent.quality.clearance import METADATA_NAME
from astudent.report.runs import Json, read_json
from astudent.stage import record_path

RATES = ("parsed_rate", "schema_valid_rate", "equivalent_rate", "semantic_pass_rate")
"""Figures of the query language, which has none of its own."""


@dataclass(frozen=True)
class MeasuredRun:
    """An evaluated student. `summary` is of its evaluation, `training` the record of the run that made its adapter,
    `corpus` the metadata of what that learned from; both are empty for a base model, or where no file tells."""

    folder: Path
    summary: Json
    training: Json
    corpus: Json

    @property
    def about(self) -> Json:
        """Who was evaluated, on what, and how."""
        return self.summary.get("run", {})

    @property
    def split(self) -> str:
        """The split that the figures are of."""
        return self.summary["split"]

    @property
    def task(self) -> str:
        """The benchmark task with its version, or `language`."""
        own = self._own
        return f"{own['name']} {own['version']}" if own else "language"

    @property
    def _own(self) -> Json:
        return self.summary.get("splits", {}).get(self.split, {}).get("task") or {}

    def figures(self) -> dict[str, Json]:
        """Figure -> value and 95% interval (None: unknown), over all rows of the split."""
        if self._own:
            return {name: figure for name, figure in self._own["all"].items() if name != "samples"}
        intervals = self.summary.get("intervals", {})
        return {name: {"value": self.summary.get(name), "interval": intervals.get(name)} for name in RATES}

    def groups(self) -> Iterator[tuple[str, Json]]:
        """(`grade: simple`, its figures) for each group of the task."""
        for name, values in self._own.get("by", {}).items():
            yield from ((f"{name}: {value}", figures) for value, figures in values.items())

    def date(self) -> str:
        """The day (UTC) on which the summary was written."""
        return datetime.fromtimestamp((self.folder / SUMMARY_NAME).stat().st_mtime, UTC).strftime("%Y-%m-%d")

    def command(self) -> str | None:
        """What measures the same again; None where the run does not tell its configuration."""
        config, about = self.about.get("config"), self.about
        if not config:
            return None
        flags = f"--adapter {about['adapter']} --dataset {about['dataset']} --split {self.split}"
        flags += " --constrained" if about.get("decoding") == "constrained" else ""
        usual = {"beams": 1, "temperature": 0}
        flags += "".join(f" --{key} {about[key]}" for key, value in usual.items() if about.get(key, value) != value)
        return f"scripts/07_evaluate_student.py --config {config} {flags}"


def measured_run(folder: Path) -> MeasuredRun:
    """The run evaluated in `folder`. UsageError where no summary of an evaluation is there."""
    summary = read_json(folder / SUMMARY_NAME)
    if not {"run", "split", "samples"} <= summary.keys():
        hint = "Name the folder of an evaluation, as outputs/student_runs/eval."
        raise UsageError(f"{folder / SUMMARY_NAME}: no summary of an evaluation", hint)
    training = read_json(record_path(Path(summary["run"]["adapter"]).parent))
    corpus = training.get("settings", {}).get("training.training_corpus")
    metadata = read_json(Path(corpus).with_name(METADATA_NAME)) if corpus else {}
    return MeasuredRun(folder, summary, training, metadata)


def short_hash(digest: Any) -> str | None:
    """The first 12 of a digest's characters."""
    return digest[:12] if isinstance(digest, str) else None
