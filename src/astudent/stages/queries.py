"""Stage 03: outputs/d_02_final_schemas.jsonl -> outputs/d_03_schema_queries.jsonl

More requests for each schema, in alternating languages. Stage 04 appends top-up rows to the same file.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from astudent.cli import Options
from astudent.jsonl import RowWriter, read_rows, write_atomic
from astudent.records import QueryRow, SchemaRow
from astudent.settings import Config
from astudent.stage import StageRun, settings_of
from astudent.stages.pretty import write_pretty
from astudent.teacher.factory import build_teacher, teacher_settings
from astudent.teacher.protocol import Teacher, TeacherFailure


def run(config: Config, options: Options) -> None:
    """Writes `per_schema_queries` requests for each schema; more of them are added to those that are there."""
    settings = config.dataset_generation
    schemas, out = Path(settings.final_schemas_out), Path(settings.schema_queries_out)
    teacher = build_teacher(config, options)
    own = ("dataset_generation.per_schema_queries", "dataset_generation.seed")
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
        rows = read_rows(schemas, SchemaRow)
        failed = write_queries(teacher, rows, settings.per_schema_queries, out)
        stage.finish(queries=sort_queries(out), failed=failed)
    write_pretty(out, Path(config.run.pretty_dir))


# Requests asked for in one call: enough to spread the cost of a long schema, few enough for one reply.
BATCH = 20

# Numbers of the top-ups of stage 04 start here, so that more generated requests never take a top-up's number.
FIRST_TOPUP = 100_000


def write_queries(teacher: Teacher, schemas: Iterable[SchemaRow], per_schema: int, out: Path) -> list[str]:
    """Appends the requests that `out` lacks; gives back the schema_ids with a call that failed."""
    have = {row.query_id for row in read_rows(out, QueryRow, repair=True)} if out.exists() else set()
    failed: list[str] = []
    with RowWriter(out) as writer:
        for schema in schemas:
            for numbers in _missing(schema.schema_id, per_schema, have):
                rows = ask_queries(teacher, schema, numbers.start, len(numbers), "generated")
                if not rows:
                    failed.append(schema.schema_id)
                for row in rows:
                    writer.append(row)
    return failed


def ask_queries(
    teacher: Teacher, schema: SchemaRow, start: int, count: int, source: Literal["generated", "topup"]
) -> list[QueryRow]:
    """Requests number `start` to `start + count - 1` of a schema; a failure of the teacher is said and gives none."""
    try:
        rows = teacher.write_queries(schema, start, count)
    except TeacherFailure as failure:
        print(f"{source} requests for {schema.schema_id}: warning: {failure}", file=sys.stderr)
        return []
    return [row if row.source == source else row.model_copy(update={"source": source}) for row in rows]


def query_id_of(schema_id: str, number: int) -> str:
    """`shop-00-q000017`: the id of request `number` of a schema."""
    return f"{schema_id}-q{number:06d}"


def number_of(row: QueryRow) -> int:
    """The number that a request's id carries."""
    return int(row.query_id.rpartition("q")[2])


def sort_queries(out: Path) -> int:
    """Puts the generated rows into the order of a run that was never interrupted nor extended; counts them."""
    rows = list(read_rows(out, QueryRow))
    order: dict[str, int] = {}
    for row in rows:
        order.setdefault(row.schema_id, len(order))
    generated = [row for row in rows if row.source != "topup"]
    in_order = sorted(generated, key=lambda row: (order[row.schema_id], number_of(row)))
    in_order += [row for row in rows if row.source == "topup"]
    if in_order != rows:
        write_atomic(out, in_order)
    return len(generated)


def _missing(schema_id: str, per_schema: int, have: set[str]) -> Iterator[range]:
    """Runs of numbers, at most BATCH long and within one batch, whose requests are not there."""
    for first in range(0, per_schema, BATCH):
        numbers = range(first, min(first + BATCH, per_schema))
        lacking = [number for number in numbers if query_id_of(schema_id, number) not in have]
        if lacking:
            yield range(lacking[0], numbers.stop)
