"""Stage 07: outputs/d_04_dataset.jsonl + an adapter -> outputs/student_runs/eval/ (and eval-base/ beside it)

Phase one writes every student's answers, then frees it; phase two collects the verdicts. Test splits are also answered
by the base model (not beside a served student) and by the two baselines; with `constrained`, both free and once more
under the schema's grammar, and the summary says what that cost and what it hides. `--fresh` forces the named adapter's
part alone: what stands beside it is shared by all students (force it with `--adapter none`).
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from astudent.asking.served import is_served
from astudent.cli import Options
from astudent.evaluation.baselines import baseline_path, baselines_of, write_baselines
from astudent.evaluation.constraint import enforced, with_grammar
from astudent.evaluation.joined import join_summaries, read_baselines
from astudent.evaluation.judging import Judge
from astudent.evaluation.metrics import Score
from astudent.evaluation.phases import (
    NAME,
    Target,
    begin_answers,
    begin_quietly,
    begin_verdicts,
    collect_answers,
    collect_verdicts,
    identity,
)
from astudent.evaluation.samples import Sample, SchemaLimit, choose_samples
from astudent.evaluation.served_student import served_digest, with_student
from astudent.evaluation.student_answers import BASE, make_student
from astudent.evaluation.vision_student import dataset_rows
from astudent.generation import generation_of
from astudent.jsonl import read_rows
from astudent.records import DatasetRow
from astudent.settings import Config
from astudent.stage import StageRun, settings_of
from astudent.stages import dry_run
from astudent.student.checkpoint import adapter_gate, check_adapter
from astudent.tasks.registry import task_of
from astudent.teacher.factory import the_judge
from astudent.teacher.protocol import Teacher

ALIGN_ONLY = ("align",)


def run(config: Config, options: Options) -> None:
    """Evaluates the student and what stands beside it. UsageError when the adapter's folder holds none, no server the
    model, or the settings a contradiction."""
    config = with_student(config)
    settings = config.evaluation
    generation_of(settings)  # now: settings that contradict each other are no matter for after the loading
    if settings.adapter != BASE and not is_served(settings.adapter):
        check_adapter(settings.adapter)
    limit = None if settings.max_schemas is None else SchemaLimit(settings.max_schemas, settings.new_names_share)
    samples = choose_samples(
        rows_of(config),
        settings.splits,
        settings.max_samples,
        settings.include_invalid,
        limit,
    )
    targets = targets_of(config)
    if options.dry_run:
        return _dry_run(config, options, samples, len(targets))
    if settings.constrained:
        _say_enforced(samples)
    worked = [answer_all(targets, samples, config, options), judge_all(targets, samples, config, options)]
    wants_baselines = is_reported(config) and settings.baselines
    if wants_baselines:
        worked.append(evaluate_baselines(samples, config, options.fresh and settings.adapter == BASE))
    join_summaries(targets, samples, read_baselines(config) if wants_baselines else {})
    if not any(worked):
        print(f"{NAME}: complete, nothing to do", flush=True)
    print(headline(targets[0].summary), flush=True)


def rows_of(config: Config) -> Iterable[DatasetRow]:
    """The rows of `evaluation.dataset`: of stage 04, or chat rows for a vision student."""
    path = Path(config.evaluation.dataset)
    return dataset_rows(path) if config.training.modality == "vision" else read_rows(path, DatasetRow)


def _dry_run(config: Config, options: Options, samples: Sequence[Sample], targets: int) -> None:
    """Each answer is judged at most once; the data set's own AST stands for the student's in the prompt."""
    row = samples[0].row
    calls = targets * len(samples)
    dry_run.show(
        config, options, NAME, calls, 0, lambda judge: judge.judge(row.schema_json, row.query, None, row.ast_json)
    )


def _say_enforced(samples: Sequence[Sample]) -> None:
    """Which schemas a grammar enforces in part or not at all, before anything is asked. RunError where it can none."""
    with_grammar(samples)
    for schema_id, found in enforced(samples).items():
        if found.refused is not None:
            print(f"{NAME}: {schema_id}: not decoded under a grammar: {found.refused}", flush=True)
        elif found.left_out:
            print(f"{NAME}: {schema_id}: the grammar leaves out: {'; '.join(found.left_out)}", flush=True)


def asked_of(target: Target, samples: Sequence[Sample]) -> Sequence[Sample]:
    """What a target answers: constrained ones the requests whose schema has a grammar."""
    return with_grammar(samples) if target.decoding == "constrained" else samples


def is_reported(config: Config) -> bool:
    """The align split is never reported as a result, so nothing is put beside it."""
    return tuple(config.evaluation.splits) != ALIGN_ONLY


def targets_of(config: Config) -> list[Target]:
    """The student; on test splits the base model beside an adapter; each once more constrained where that is asked for."""
    settings = config.evaluation
    label = "base model" if settings.adapter == BASE else settings.adapter
    digest = served_digest(config, settings.adapter) if is_served(settings.adapter) else None
    targets = [Target(label, settings.adapter, "free", Path(settings.out_dir), digest)]
    if is_reported(config) and settings.adapter != BASE and digest is None:
        targets.append(Target("base model", BASE, "free", Path(settings.base_out_dir)))
    if settings.constrained:
        targets += [replace(t, decoding="constrained", folder=t.folder / "constrained") for t in targets]
    return targets


def answer_all(targets: Sequence[Target], samples: Sequence[Sample], config: Config, options: Options) -> bool:
    """Phase one for all targets, one student in memory at a time; whether anything was left to do."""
    runs = [(target, begin_answers(target, config, _is_forced(target, config, options))) for target in targets]
    todo = [(target, run) for target, run in runs if run.status != "complete"]
    if todo and config.evaluation.teacher != "none":
        asyncio.run(check_judge(config, options))  # an absent judge is said before hours of answers, not after
    for target, run in todo:
        with make_student(config, target.adapter, target.decoding) as student:
            collect_answers(run, target, asked_of(target, samples), student, config.evaluation.batch_size)
    return bool(todo)


def judge_all(targets: Sequence[Target], samples: Sequence[Sample], config: Config, options: Options) -> bool:
    """Phase two for all targets; whether anything was left to do."""
    runs = [(target, begin_verdicts(target, config, _is_forced(target, config, options))) for target in targets]
    todo = [(target, run) for target, run in runs if run.status != "complete"]
    if todo:
        asyncio.run(_collect(todo, samples, config, options))
    return bool(todo)


async def _collect(
    todo: Sequence[tuple[Target, StageRun]], samples: Sequence[Sample], config: Config, options: Options
) -> None:
    """The verdicts of all targets by one judge, who then makes room for the next student."""
    task = task_of(config)
    if config.evaluation.teacher == "none":
        for target, run in todo:
            asked, facts = asked_of(target, samples), facts_of(target, config, options, None)
            await collect_verdicts(run, target, asked, None, 1, facts, task)
        return
    async with the_judge(config, options.model, NAME) as teacher:
        teacher.prepare(sample.row.schema_json for sample in samples)
        for target, run in todo:
            asked, facts = asked_of(target, samples), facts_of(target, config, options, teacher)
            await collect_verdicts(run, target, asked, as_judge(teacher), teacher.ahead, facts, task)
        await teacher.unload()


def _is_forced(target: Target, config: Config, options: Options) -> bool:
    return options.fresh and target.adapter == config.evaluation.adapter


async def check_judge(config: Config, options: Options) -> None:
    """UsageError where the judge that the configuration names cannot be asked."""
    async with the_judge(config, options.model, NAME):
        pass


def as_judge(teacher: Teacher) -> Judge:
    """The teacher's verdict on one answer, as phase two asks for it."""

    async def judge(sample: Sample, score: Score) -> Any:
        row = sample.row
        verdict = await teacher.judge(row.schema_json, row.query, row.ast_json, score.ast or {})
        return verdict.verdict, verdict.reason

    return judge


def facts_of(target: Target, config: Config, options: Options, teacher: Teacher | None) -> dict[str, Any]:
    """Who was evaluated on what, and who judged."""
    dataset = Path(config.evaluation.dataset)
    weights = Path(target.adapter) / "adapter_model.safetensors"
    has_adapter = target.adapter != BASE and target.digest is None
    return {
        "config": options.config,
        "adapter_sha256": identity(weights) if has_adapter else None,
        "adapter_gate": adapter_gate(target.adapter) if has_adapter else None,
        "served_digest": target.digest,
        "base_model": config.training.base_model,
        "base_revision": config.training.base_revision,
        "dataset": str(dataset),
        "dataset_sha256": identity(dataset),
        "judge": teacher.identity.model_dump() if teacher else None,
        "temperature": config.evaluation.temperature,
        "beams": config.evaluation.beams,
        "max_new_tokens": config.evaluation.max_new_tokens,
    }


def evaluate_baselines(samples: Sequence[Sample], config: Config, fresh: bool) -> bool:
    """The baselines, once for all students, beside the base model; whether anything was left to do."""
    folder, names = Path(config.evaluation.base_out_dir), baselines_of(config)
    outputs = [baseline_path(folder, name) for name in names]
    keys = ("splits", "max_samples", "max_schemas", "new_names_share")
    settings = settings_of(config, *(f"evaluation.{key}" for key in keys))
    run = begin_quietly(outputs, settings, [Path(config.evaluation.dataset)], config, fresh)
    if run.status == "complete":
        return False
    print(f"{NAME}: baselines: {', '.join(names)}", flush=True)
    write_baselines(read_rows(config.evaluation.dataset, DatasetRow), samples, folder, names)
    run.finish(samples=len(samples))
    return True


def headline(path: Path) -> str:
    """One line for the terminal."""
    summary = json.loads(path.read_text(encoding="utf-8"))
    metric = "semantic_pass_rate" if summary["semantic_pass_rate"] is not None else "equivalent_rate"
    low, high = summary["intervals"][metric]
    name = metric.removesuffix("_rate").replace("_", " ")
    rate = f"{summary[metric]:.1%} ({low:.1%} to {high:.1%})"
    return f"{NAME}: {name} on {summary['split']}: {rate} of {summary['samples']} requests; see {path}"
