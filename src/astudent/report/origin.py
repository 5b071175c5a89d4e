"""The part of the report that says what was run: models, data, judge, gate, versions, hashes, settings, costs."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from astudent.quality.clearance import METADATA_NAME
from astudent.report import formats
from astudent.report.document import Block, Heading, Table
from astudent.report.runs import EvaluatedRun, read_json
from astudent.settings import Config
from astudent.stage import record_path
from astudent.tasks.registry import has_task
from astudent.teacher.usage import FILE_NAME as USAGE_NAME

PACKAGES = ("astudent", "torch", "transformers", "peft", "trl", "unsloth", "duckdb", "llguidance", "jsonschema")


def provenance(config: Config, runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """Which models, which data, which judge; hashes where there are files."""
    yield Heading("What was run")
    facts = {"base model": config.training.base_model, "revision": config.training.base_revision or "newest or local"}
    facts["teacher of the data"] = data_maker(config)
    rows = [[name, "", value] for name, value in facts.items()]
    rows += [["data", *fact] for fact in _data(config)]
    for run in runs:
        made = run.summary.get("run", {})
        for name in (
            "config",
            "adapter",
            "adapter_sha256",
            "served_digest",
            "adapter_gate",
            "dataset",
            "dataset_sha256",
        ):
            if made.get(name):
                rows.append([run.label, name.replace("_", " "), str(made[name])])
        if made.get("judge"):
            rows.append([run.label, "judge", _identity(made["judge"])])
    yield Table(["what", "", ""], rows, figures=False)
    yield from _versions()
    yield from _settings(config, runs)


def _data(config: Config) -> Iterator[tuple[str, str]]:
    """What the gate said of the corpus, and how many rows it and the data set hold."""
    metadata = read_json(Path(config.training.training_corpus).with_name(METADATA_NAME))
    counts = metadata.get("gate", {}).get("counts", {}).get("split", {})
    told = {"quality gate": metadata.get("verdict"), "rows trained on": metadata.get("corpus_rows")}
    told |= {f"rows of {split}": count for split, count in counts.items()}
    told |= {name.replace("_", " "): metadata.get(name) for name in ("dataset_sha256", "corpus_sha256")}
    yield from ((name, formats.number(value)) for name, value in told.items() if value is not None)


def _versions() -> Iterator[Block]:
    found = {"Python": python_version(), **{name: _version(name) for name in PACKAGES}}
    yield Heading("Versions where this report was written", 3)
    yield Table(["package", "version"], [[name, number] for name, number in found.items() if number], figures=False)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def data_maker(config: Config) -> str:
    """Who made the rows: a teacher, or a benchmark task."""
    if has_task(config):
        return f"the task {config.dataset_generation.task}, without a teacher"
    return f"{config.teacher.provider}, {config.teacher.model}"


def _settings(config: Config, runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """The resolved settings of the data set, of each trainer and of each run's answers, as their own runs recorded them."""
    made = {"the data set": Path(config.evaluation.dataset), **_trainers(config)}
    made |= {f"the answers of {run.label}": run.folder / "answers.jsonl" for run in runs if run.summary}
    for title, output in made.items():
        record = read_json(record_path(output))
        if record.get("settings"):
            yield Heading(f"Settings of {title}", 3)
            rows = [[key, formats.number(value)] for key, value in sorted(record["settings"].items())]
            rows += [[f"input {path}", digest] for path, digest in sorted(record.get("inputs", {}).items())]
            yield Table(["key", "value"], rows, figures=False)


def _trainers(config: Config) -> dict[str, Path]:
    return {"SFT": Path(config.training.output_dir), "DPO": Path(config.alignment.output_dir)}


def costs(config: Config, runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """Time and tokens of teacher, training and answers, as far as the stages recorded them."""
    teacher, rows = list(_teacher_costs(config)), list(_own_costs(config, runs))
    if teacher or rows:
        yield Heading("What it cost")
    if rows:
        yield Table(["", "time", "tokens an answer", "time an answer"], rows)
    if teacher:
        yield Heading("The teacher, stage by stage", 3)
        yield Table(["stage", "calls", "from the cache", "prompt tokens", "reply tokens", "server time"], teacher)


def _own_costs(config: Config, runs: Sequence[EvaluatedRun]) -> Iterator[list[str]]:
    for title, folder in _trainers(config).items():
        facts = read_json(record_path(folder)).get("facts", {})
        seconds = facts.get("seconds", facts.get("train_runtime"))
        if seconds is not None:
            yield [f"training, {title}", formats.duration(seconds), "", ""]
    for run in runs:
        seconds = read_json(record_path(run.folder / "answers.jsonl")).get("facts", {}).get("seconds")
        if run.summary and run.rows:
            tokens = sum(row.completion_tokens for row in run.rows) / len(run.rows)
            latency = sum(row.latency_seconds for row in run.rows) / len(run.rows)
            yield [f"answers, {run.label}", formats.duration(seconds), f"{tokens:.1f}", _duration_or_unknown(latency)]


def _teacher_costs(config: Config) -> Iterator[list[str]]:
    usage = read_json(Path(config.run.outputs_root) / USAGE_NAME)
    for stage, counts in usage.get("stages", {}).items():
        cells = [formats.number(counts.get(name)) for name in ("calls", "hits", "prompt_tokens", "reply_tokens")]
        yield [f"stage {stage}", *cells, formats.duration(counts.get("seconds"))]


def _duration_or_unknown(seconds: float) -> str:
    """A time, or that nobody measured it."""
    return formats.duration(seconds) if seconds else formats.UNKNOWN


def _identity(made_by: Mapping[str, Any]) -> str:
    parts = [str(made_by[key]) for key in ("provider", "model", "digest") if made_by.get(key)]
    return ", ".join(parts)
