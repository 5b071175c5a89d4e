"""Which configuration a run takes, and whether the machine has all that the requested stages need, before any call.

`python -m astudent.preflight` prints one line for people and, last, the configuration's path for the runners.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code
from astudent.config import DEFAULTS, load_config
from astudent.errors import Problems, RunError, UsageError
from astudent.generation import generation_of
from astudent.machine import (
    base_model_problem,
    find_gpu,
    free_gb,
    holds_model,
    missing_gpu_packages,
    ollama_hosts,
    ollama_models,
)
from astudent.settings import Config, Learning
from astudent.tasks.registry import has_task, teacher_problem
from astudent.teacher.model_id import ModelId, resolve_model_id

EMBEDDED = Path("config/embedded.json")
NEEDS = ("data", "training", "evals", "alignment")
GPU_COMMAND = "uv sync --frozen --extra gpu"


@dataclass(frozen=True)
class Choice:
    """The configuration that a runner takes, and why, in one line."""

    path: Path
    reason: str


def choose(model: str | None, needs: Iterable[str]) -> Choice:
    """The real run where a CUDA GPU, an Ollama server and the teacher's model are there, else the embedded one.

    UsageError when a teacher that a person named cannot be used: it is never replaced.
    """
    config = load_config(DEFAULTS)
    teacher = resolve_model_id(model, config.teacher.model)
    hosts = ollama_hosts(config.teacher.hosts)
    absent = _absent_teacher(hosts, teacher)
    at = ", ".join(hosts)
    if teacher.is_named and absent:
        raise UsageError(f"teacher {teacher.name} (from {teacher.source}): {absent[0]}", absent[1])
    gpu = find_gpu()
    missing = [] if gpu else [("no CUDA GPU answers", "a CUDA GPU")]
    if gpu and not absent:
        return Choice(DEFAULTS, f"the real run ({DEFAULTS}): teacher {teacher.name} at {at}, {gpu.count} CUDA GPU")
    if teacher.is_named and set(needs) == {"data"}:
        return Choice(DEFAULTS, f"the real run's data ({DEFAULTS}): teacher {teacher.name} at {at}")
    if teacher.is_named:
        hint = "Run it where a GPU is, or runDatasetGeneration.sh here, or name a configuration with --config."
        raise UsageError(f"teacher {teacher.name} is there, but {DEFAULTS} trains on a CUDA GPU and none answers", hint)
    missing += [absent] if absent else []
    why = "; ".join(reason for reason, _ in missing)
    how = ", ".join(cure.rstrip(".") for _, cure in missing)
    return Choice(EMBEDDED, f"the embedded run ({EMBEDDED}), since {why}. The real run wants: {how}.")


def check(config: Config, needs: Iterable[str], model: str | None = None, judge: str | None = None) -> None:
    """Raises all that the requested stages (of `NEEDS`) lack at once, each with what to do; exit code 2, or 1 for disk.

    `model` and `judge` are what --model and --teacher-model named.
    """
    found = list(dict.fromkeys(_problems(config, set(needs), model, judge)))
    if len(found) == 1:
        raise UsageError(*found[0])
    if found:
        lines = [f"{what}. {cure}" for what, cure in found]
        raise Problems(f"this machine lacks {len(found)} things", "", lines)
    free = free_gb(Path(config.run.outputs_root))
    if free < config.run.min_free_gb:
        hint = "Free some, or lower run.min_free_gb."
        raise RunError(f"{config.run.outputs_root}: {free:.1f} GB free, {config.run.min_free_gb:g} wanted", hint)


def _problems(config: Config, needs: set[str], model: str | None, judge: str | None) -> Iterator[tuple[str, str]]:
    if "data" in needs and has_task(config):
        yield from filter(None, [teacher_problem(config, model)])
    elif "data" in needs:
        yield from _teacher_problems(config, config.teacher.provider, model, config.teacher.model, "--model")
    if needs & {"evals", "alignment"}:
        configured = config.evaluation.teacher_model or config.teacher.model
        yield from _teacher_problems(config, config.evaluation.teacher, judge, configured, "--teacher-model")
        try:
            generation_of(config.evaluation)
        except UsageError as error:
            yield error.message, error.hint
    if "alignment" in needs and config.evaluation.teacher == "none":
        yield "alignment is built from a teacher's verdicts, and evaluation.teacher is none", "Name a teacher."
    if "alignment" in needs and config.training.modality == "vision":
        yield "alignment learns from texts, and training.modality is vision", "Leave --with-alignment out."
    students = {"training": config.training} if needs & {"training", "evals", "alignment"} else {}
    students |= {"alignment": config.alignment} if "alignment" in needs else {}
    for name, section in students.items():
        yield from _hardware_problems(section, name)
    for base in {(section.base_model, section.base_revision) for section in students.values()}:
        if problem := base_model_problem(*base):
            yield problem


def _teacher_problems(
    config: Config, provider: str, named: str | None, configured: str, flag: str
) -> Iterator[tuple[str, str]]:
    if provider == "ollama":
        absent = _absent_teacher(ollama_hosts(config.teacher.hosts), resolve_model_id(named, configured))
        if absent:
            yield absent
    elif named not in (None, "embedded"):
        yield f"{flag} {named}: the configuration's teacher is {provider}", f"Take {flag} out, or use {DEFAULTS}."


def _absent_teacher(hosts: Iterable[str], teacher: ModelId) -> tuple[str, str] | None:
    """What a model teacher lacks, and the command to run."""
    for host in hosts:
        models = ollama_models(host)
        if models is None:
            return f"no Ollama server answers at {host}", f"`ollama serve` and `ollama pull {teacher.name}`."
        if not holds_model(models, teacher.name):
            return f"the Ollama server at {host} lacks {teacher.name}", f"`ollama pull {teacher.name}`."
    return None


def _hardware_problems(section: Learning, name: str) -> Iterator[tuple[str, str]]:
    gpu = find_gpu()
    if gpu is None:
        yield from _cpu_problems(section, name)
    elif (section.load_in_4bit or section.backend != "transformers") and missing_gpu_packages():
        absent = " and ".join(missing_gpu_packages())
        yield f"a CUDA GPU is here, but {absent} is not installed", f"`{GPU_COMMAND}`."
    elif section.bf16 and not gpu.has_bf16:
        yield f"{name}.bf16 is on, and this GPU has no bfloat16", f"Set {name}.bf16 to false."


def _cpu_problems(section: Learning, name: str) -> Iterator[tuple[str, str]]:
    """What cannot be had without a GPU; it is never left out in silence."""
    hint = f"or take {EMBEDDED}."
    if section.backend == "unsloth":
        yield f"{name}.backend is unsloth, and no CUDA GPU answers", f"Set it to auto, {hint}"
    if section.load_in_4bit:
        yield f"{name}.load_in_4bit is on, and no CUDA GPU answers", f"Set it to false (--no-load-in-4bit), {hint}"
    if section.bf16:
        yield f"{name}.bf16 is on, and no CUDA GPU answers", f"Set it to false (--no-bf16), {hint}"


def _setting(config: Config, name: str) -> str:
    """A key's value as a shell reads it: text bare, the rest as JSON."""
    section, _, key = name.partition(".")
    values = config.model_dump().get(section, {})
    if key not in values:
        raise UsageError(f"{name} is no key of the configuration", "Write section.key.")
    return values[key] if isinstance(values[key], str) else json.dumps(values[key])


def _unload(config: Config, model: str | None) -> None:
    if config.teacher.provider == "ollama":
        from astudent.teacher.factory import free_memory  # here: the checks before a run need no client

        asyncio.run(free_memory(config, resolve_model_id(model, config.teacher.model)))


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    config: Annotated[str | None, typer.Option(help="Configuration file; obeyed where it is given.")] = None,
    need: Annotated[list[str] | None, typer.Option(help=f"What will run: {', '.join(NEEDS)}. May be repeated.")] = None,
    model: Annotated[str | None, typer.Option(help="Teacher of the data stages.")] = None,
    teacher_model: Annotated[str | None, typer.Option(help="Judge of the answers.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Kind of judge, in place of the configuration's.")] = None,
    setting: Annotated[str | None, typer.Option(help="Only print this key's value (section.key).")] = None,
    unload: Annotated[bool, typer.Option("--unload", help="Only free the teacher's memory.")] = False,
) -> None:
    """Picks the configuration, checks that all it needs is there, and prints its path in the last line."""

    def action() -> None:
        named = model or teacher_model
        choice = Choice(Path(config), f"configuration {config}") if config else choose(named, need or ())
        loaded = load_config(choice.path, {"evaluation.teacher": teacher} if teacher else None)
        if setting:
            print(_setting(loaded, setting))
            return
        if unload:
            _unload(loaded, model)
            return
        check(loaded, need or (), model, teacher_model)
        print(f"astudent: {choice.reason}", choice.path, sep="\n", flush=True)

    with_exit_code(action)


if __name__ == "__main__":
    app()
