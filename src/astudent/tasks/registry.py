"""The benchmark tasks by name, and which stages they have."""

from importlib import import_module

from astudent.errors import UsageError
from astudent.settings import Config
from astudent.tasks.task import Task

TASKS = ("support", "documents")
"""Each is `TASK` of the module `astudent.tasks.NAME.task`, which is imported when it is asked for."""

TEACHERS_STAGES = ("01", "02", "03")
"""Stages in which a teacher invents languages and requests; a benchmark task begins with stage 04."""


def task_named(name: str) -> Task:
    """The task of that name. UsageError where there is none."""
    if name not in TASKS:
        raise UsageError(f"no task {name}", f"Take one of {', '.join(TASKS)}.")
    return import_module(f"astudent.tasks.{name}.task").TASK


def task_of(config: Config) -> Task | None:
    """The benchmark task of the configuration; None for the query language."""
    return task_named(config.dataset_generation.task) if has_task(config) else None


def has_task(config: Config) -> bool:
    """Whether the rows are a benchmark task's, and not of the query language."""
    return config.dataset_generation.task in TASKS


def is_left_out(config: Config, stage: str) -> bool:
    """Whether the task needs nothing of this stage, which is then said in one line."""
    left_out = has_task(config) and stage in TEACHERS_STAGES
    if left_out:
        name = config.dataset_generation.task
        print(f"{stage}: nothing to do: stage 04 makes the rows of the task {name}, without a teacher", flush=True)
    return left_out


def teacher_problem(config: Config, model: str | None) -> tuple[str, str] | None:
    """What is wrong with naming a teacher of the data where nobody asks one: (what, what to do)."""
    if not has_task(config) or model is None:
        return None
    name = config.dataset_generation.task
    return f"--model {model}: the task {name} asks no teacher for its data", "Take --model out."
