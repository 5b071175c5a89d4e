"""Stage 04 of a benchmark task: nothing -> outputs/d_04_dataset.jsonl, by the task's generator. No teacher is asked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from astudent.cli import Options
from astudent.errors import UsageError
from astudent.jsonl import write_atomic
from astudent.records import DatasetRow
from astudent.settings import Config
from astudent.stage import StageRun, settings_of
from astudent.stages.pretty import write_pretty
from astudent.tasks.registry import teacher_problem
from astudent.tasks.task import Task

NAME = "04"
SIZES = "dataset_generation.task_rows"


def run(task: Task, config: Config, options: Options) -> None:
    """Writes the rows. More training rows extend the data set, whose other rows stay as they are."""
    if problem := teacher_problem(config, options.model):
        raise UsageError(*problem)
    settings = config.dataset_generation
    sizes: dict[str, int] = {**settings.task_rows}
    out = Path(settings.dataset_out)
    if options.dry_run:
        wanted = ", ".join(f"{count} {split}" for split, count in sizes.items())
        print(f"{NAME}: the task {task.name} asks no teacher: Python makes its rows ({wanted})")
        return
    made_by = {"task.name": task.name, "task.version": task.version}
    stage = StageRun.begin(
        NAME,
        [out],
        settings_of(config, "dataset_generation.seed")
        | {f"{SIZES}.{split}": count for split, count in sizes.items()}
        | made_by,
        [],
        root=config.run.outputs_root,
        fresh=options.fresh,
        growing={f"{SIZES}.train"},
    )
    if stage.status != "complete":
        counts: Counter[str] = Counter()
        write_atomic(out, _counted(task.rows(sizes, settings.seed), counts))
        stage.finish(**counts)
        made = ", ".join(f"{count} {split}" for split, count in counts.items())
        print(f"{NAME}: {task.name} {task.version}: {made} rows", flush=True)
    write_pretty(out, Path(config.run.pretty_dir))


def _counted(rows: Iterable[DatasetRow], counts: Counter[str]) -> Iterator[DatasetRow]:
    for row in rows:
        counts[row.split] += 1
        yield row
