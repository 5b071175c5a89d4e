"""Stage 03: outputs/d_02_final_schemas.jsonl -> outputs/d_03_schema_queries.jsonl

More requests for each schema, in alternating languages. Stage 04 appends top-up rows to the same file.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from astudent.cli import Options
from astudent.in_order import in_order
from astudent.jsonl import RowWriter, read_rows, write_atomic
from astudent.progress import Tally
from astudent.records import QueryRow, SchemaRow
from astudent.settings import Config
from astudent.stage import StageRun, settings_of
from astudent.stages import dry_run
from astudent.stages.failures import FailureLog
from astudent.stages.pretty import write_pretty
from astudent.tasks.registry import is_left_out
from astudent.teacher.factory import teacher_settings, the_teacher
from astudent.teacher.protocol import Teacher, TeacherFailure


def run(config: Config, options: Options) -> None:
    """Writes `per_schema_queries` requests for each schema; more of them are added to those that are there."""
    if is_left_out(config, "03"):
        return
    if options.dry_run:
        return _dry_run(config, options)
    asyncio.run(_run(config, options))
    write_pretty(Path(config.dataset_generation.schema_queries_out), Path(config.run.pretty_dir))


def _dry_run(config: Config, options: Options) -> None:
    settings = config.dataset_generation
    schemas = list(read_rows(settings.final_schemas_out, SchemaRow))
    have = _written(Path(settings.schema_queries_out))
    jobs = _jobs_left(schemas, settings.per_schema_queries, have)
    first = (*jobs, Job(schemas[0], range(BATCH)))[0]
    calls = len(schemas) * -(-settings.per_schema_queries // BATCH)
    dry_run.show(config, options, "03", calls, calls - len(jobs), lambda teacher: ask_queries(teacher, first))


async def _run(config: Config, options: Options) -> None:
    settings = config.dataset_generation
    schemas, out = Path(settings.final_schemas_out), Path(settings.schema_queries_out)
    own = ("dataset_generation.per_schema_queries", "dataset_generation.seed")
    async with the_teacher(config, options, "03") as teacher:
        stage = StageRun.begin(
            "03",
            outputs=[out],
            settings=settings_of(config, *own) | teacher_settings(config, teacher),
            inputs=[schemas],
            root=config.run.outputs_root,
            fresh=options.fresh,
            growing={"dataset_generation.per_schema_queries"},
        )
        if stage.status != "complete":
            rows = list(read_rows(schemas, SchemaRow))
            failed = await write_queries(teacher, rows, settings.per_schema_queries, out)
            stage.finish(queries=sort_queries(out), failed=failed)


# Requests asked for in one call: enough to spread the cost of a long schema, few enough for one reply.
BATCH = 20

# Numbers of the top-ups of stage 04 start here, so that more generated requests never take a top-up's number.
FIRST_TOPUP = 100_000


async def write_queries(teacher: Teacher, schemas: Sequence[SchemaRow], per_schema: int, out: Path) -> list[str]:
    """Appends the requests that `out` lacks; gives back the schema_ids with a call that failed."""
    have = _written(out)
    jobs = _jobs_left(schemas, per_schema, have)
    teacher.prepare(schema.schema_json for schema in schemas)
    failed: list[str] = []

    async def asked(job: Job) -> tuple[Job, list[QueryRow] | TeacherFailure]:
        return await ask_queries(teacher, job)

    with RowWriter(out) as writer, FailureLog(out) as failures, Tally("03", len(jobs)) as progress:
        async for job, found in in_order(progress.counted(asked), jobs, teacher.ahead):
            if isinstance(found, TeacherFailure):
                failed.append(job.schema.schema_id)
                failures.add(job.name, found)
                continue
            for row in found:
                if row.query_id not in have:
                    writer.append(row)
    return failed


def _written(out: Path) -> set[str]:
    return {row.query_id for row in read_rows(out, QueryRow, repair=True)} if out.exists() else set()


def _jobs_left(schemas: Sequence[SchemaRow], per_schema: int, have: set[str]) -> list["Job"]:
    return [Job(schema, numbers) for schema in schemas for numbers in _missing(schema.schema_id, per_schema, have)]


@dataclass(frozen=True)
class Job:
    """Some requests of a schema, by their numbers, to be asked for in one call."""

    schema: SchemaRow
    numbers: range
    source: Literal["generated", "topup"] = "generated"

    @property
    def name(self) -> str:
        """`shop-00:20-39`"""
        return f"{self.schema.schema_id}:{self.numbers.start}-{self.numbers[-1]}"


async def ask_queries(teacher: Teacher, job: Job) -> tuple[Job, list[QueryRow] | TeacherFailure]:
    """The requests of a job; a failure of the teacher is said and given back."""
    try:
        rows = await teacher.write_queries(job.schema, job.numbers.start, len(job.numbers))
    except TeacherFailure as failure:
        print(f"{job.source} requests for {job.schema.schema_id}: warning: {failure}", file=sys.stderr)
        return job, failure
    return job, [row if row.source == job.source else row.model_copy(update={"source": job.source}) for row in rows]


def query_id_of(schema_id: str, number: int) -> str:
    """`shop-00-q000017`: the id of request `number` of a schema."""
    return f"{schema_id}-q{number:06d}"


def number_of(row: QueryRow) -> int:
    """The number that a request's id carries."""
    return int(row.query_id.rpartition("q")[2])


def sort_queries(out: Path) -> int:
    """Puts the rows into the order of a run that was never interrupted nor extended; counts the generated ones.

    Top-ups come last, schema by schema like the others.
    """
    rows = list(read_rows(out, QueryRow))
    order: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row.source == "topup"):
        order.setdefault(row.schema_id, len(order))
    sorted_rows = sorted(rows, key=lambda row: (row.source == "topup", order[row.schema_id], number_of(row)))
    if sorted_rows != rows:
        write_atomic(out, sorted_rows)
    return sum(row.source != "topup" for row in rows)


def _missing(schema_id: str, per_schema: int, have: set[str]) -> Iterator[range]:
    """Batches with a request that is not there, whole: a call that a kill had split is the same call again."""
    for first in range(0, per_schema, BATCH):
        numbers = range(first, min(first + BATCH, per_schema))
        if any(query_id_of(schema_id, number) not in have for number in numbers):
            yield numbers
