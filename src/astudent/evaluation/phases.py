"""The two phases of an evaluation, each a run of its own that can be stopped, resumed and found complete.

    answers   dataset + adapter -> FOLDER/answers.jsonl
    verdicts  answers + judge   -> FOLDER/evaluation_results.jsonl and FOLDER/evaluation_summary.json

Another judge makes the verdicts again and keeps the answers.
"""

import contextlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.errors import UsageError
from astudent.evaluation.answers import Student, read_answers, write_answers
from astudent.evaluation.judging import Judge, write_results
from astudent.evaluation.results import Decoding, ResultRow
from astudent.evaluation.samples import Sample
from astudent.evaluation.student_answers import BASE
from astudent.evaluation.summary import summarise
from astudent.jsonl import read_rows, sha256_of, write_atomic
from astudent.settings import Config
from astudent.stage import StageRun, base_folder, read_record, record_path, settings_of
from astudent.tasks.registry import task_of
from astudent.tasks.task import Task

NAME = "07"
SUMMARY_NAME = "evaluation_summary.json"
ANSWER_KEYS = (
    "prompt",
    "training.modality",
    "training.base_model",
    "training.base_revision",
    "training.load_in_4bit",
    "evaluation.splits",
    "evaluation.max_samples",
    "evaluation.max_schemas",
    "evaluation.new_names_share",
    "evaluation.include_invalid",
    "evaluation.max_new_tokens",
    "evaluation.temperature",
    "evaluation.top_p",
    "evaluation.batch_size",
    "evaluation.blank_images",
    "evaluation.shared_prefixes",
    "evaluation.seed",
)


IN_PROCESS = (
    *(f"training.{key}" for key in ("modality", "base_model", "base_revision", "load_in_4bit")),
    *(f"evaluation.{key}" for key in ("batch_size", "blank_images", "shared_prefixes")),
)
SERVED_KEYS = tuple(key for key in ANSWER_KEYS if key not in IN_PROCESS)
"""What shapes the answers of a model on a server, beside the model."""


@dataclass(frozen=True)
class Target:
    """One student to evaluate in one way: an adapter (or `none`, or `ollama:NAME` with its digest), free or constrained, and
    where its files go."""

    label: str
    adapter: str
    decoding: Decoding
    folder: Path
    digest: str | None = None

    @property
    def answers(self) -> Path:
        """What phase one writes."""
        return self.folder / "answers.jsonl"

    @property
    def results(self) -> Path:
        """The result rows of phase two."""
        return self.folder / "evaluation_results.jsonl"

    @property
    def summary(self) -> Path:
        """The rates of phase two."""
        return self.folder / SUMMARY_NAME

    def weights(self) -> list[Path]:
        """The files that make this student what it is, beside the base model."""
        if self.adapter == BASE or self.digest is not None:
            return []
        return [Path(self.adapter) / name for name in ("adapter_config.json", "adapter_model.safetensors")]


def begin_answers(target: Target, config: Config, fresh: bool) -> StageRun:
    """Where phase one of this target stands. UsageError where a served student would take another one's place."""
    is_served = target.digest is not None
    keys = SERVED_KEYS if is_served else ANSWER_KEYS
    settings = {**settings_of(config, *keys), "adapter": target.adapter, "decoding": target.decoding}
    if config.evaluation.beams > 1:  # one is not named, so that answers from before there were beams stay what they are
        settings["evaluation.beams"] = config.evaluation.beams
    if is_served:
        settings["digest"] = target.digest
        refuse_place_of_another(target)
    base = [] if is_served else base_folder(config.training.base_model)
    return begin_quietly(
        [target.answers],
        settings,
        [Path(config.evaluation.dataset), *target.weights(), *base],
        config,
        fresh,
        growing=["evaluation.max_samples"],
    )


def refuse_place_of_another(target: Target) -> None:
    """UsageError where the folder holds the answers of another student: they would be moved away."""
    record = read_record(record_path(target.answers))
    before = record["settings"].get("adapter") if record else target.adapter
    if before != target.adapter:
        hint = "Name a folder of its own with --out-dir."
        raise UsageError(f"{target.folder} holds the answers of {before}, not of {target.adapter}", hint)


def collect_answers(
    run: StageRun, target: Target, samples: Sequence[Sample], student: Student, batch_size: int
) -> None:
    """Phase one; the caller frees the student."""
    start = time.monotonic()
    print(f"{NAME}: {target.label}: answering {len(samples)} requests ({target.decoding} decoding)", flush=True)
    written = write_answers(samples, student, target.answers, batch_size)
    run.finish(samples=len(samples), written=written, seconds=round(time.monotonic() - start, 1), **student.facts())


def begin_verdicts(target: Target, config: Config, fresh: bool) -> StageRun:
    """Where phase two of this target stands; answers that were extended make it start again from them."""
    settings = settings_of(config, "evaluation.teacher", "evaluation.teacher_model", "evaluation.splits")
    judge_keys = ("provider", "model", "think", "temperature", "num_ctx")
    if task := task_of(config):
        settings |= {"task.name": task.name, "task.version": task.version}
    if config.evaluation.teacher != "none":
        settings |= settings_of(config, *(f"teacher.{key}" for key in judge_keys))
    inputs = [target.answers, Path(config.evaluation.dataset)]
    return begin_quietly([target.results, target.summary], settings, inputs, config, fresh)


async def collect_verdicts(
    run: StageRun,
    target: Target,
    samples: Sequence[Sample],
    judge: Judge | None,
    ahead: int,
    facts: Mapping[str, Any],
    task: Task | None = None,
) -> None:
    """Phase two: result rows, then the summary; `facts` (who judged, on what) go into the summary's `run`. A benchmark
    `task` adds its own figures."""
    start = time.monotonic()
    answers = read_answers(target.answers)
    await write_results(samples, answers, target.results, decoding=target.decoding, judge=judge, ahead=ahead)
    rows = list(read_rows(target.results, ResultRow))
    summary = summarise(rows, headline=samples[0].row.split, task=task)
    summary["run"] = {"adapter": target.adapter, "decoding": target.decoding, **facts}
    write_summary(target.summary, summary)
    run.finish(rows=len(rows), seconds=round(time.monotonic() - start, 1))


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """The summary as indented JSON."""
    write_atomic(path, json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


def begin_quietly(
    outputs: Sequence[Path],
    settings: Mapping[str, Any],
    inputs: Sequence[Path],
    config: Config,
    fresh: bool,
    growing: Sequence[str] = (),
) -> StageRun:
    """`StageRun.begin` for one of several runs inside a stage, which says only once that nothing was left to do."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        run = StageRun.begin(
            NAME, outputs, settings, inputs, root=config.run.outputs_root, fresh=fresh, growing=growing
        )
    if run.status != "complete":
        print(said.getvalue(), end="", flush=True)
    return run


def identity(path: Path) -> str | None:
    """Hash of an adapter or a dataset for the summary; None when it is not on this disk."""
    return sha256_of(path) if path.exists() else None
