"""Stage 04: outputs/d_02_final_schemas.jsonl + d_03_schema_queries.jsonl -> outputs/d_04_dataset.jsonl

The teacher answers requests with ASTs until every schema has exactly N accepted rows, each in its split; then negatives
are made from them by mutation. The specs' examples (d_01) and d_03 come first, then more requests are asked for and
appended to d_03 with source `topup`. Answers are kept in d_04_dataset.answers.jsonl as they come.
"""

import asyncio
import contextlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from astudent.cli import Options
from astudent.errors import RunError
from astudent.jsonl import RowWriter, read_rows, write_atomic
from astudent.records import DatasetRow, QueryRow, SchemaRow
from astudent.settings import Config, DatasetGeneration
from astudent.stage import Input, StageRun, settings_of
from astudent.stages import dry_run, task_rows
from astudent.stages.answers import AnswerBook, answered_ids
from astudent.stages.negatives import negatives_due, negatives_of
from astudent.stages.plan import Plan
from astudent.stages.pretty import write_pretty
from astudent.stages.queries import sort_queries
from astudent.stages.requests import Requests, read_requests, top_up
from astudent.stages.selection import Accepted, Candidates, SchemaQueue, select
from astudent.tasks.registry import task_of
from astudent.teacher.factory import teacher_settings, the_teacher
from astudent.teacher.protocol import Teacher

SETTINGS = ("positives_per_schema", "negative_ratio", "align_share", "test_seen_share", "test_unseen_share", "seed")


def run(config: Config, options: Options) -> None:
    """Writes `positives_per_schema` positives per schema and their negatives, or says which schemas fell short.

    The rows of a benchmark task come from its own generator.
    """
    if task := task_of(config):
        return task_rows.run(task, config, options)
    if options.dry_run:
        return _dry_run(config, options)
    asyncio.run(_run(config, options))
    settings = config.dataset_generation
    for path in (settings.dataset_out, settings.schema_queries_out):
        write_pretty(Path(path), Path(config.run.pretty_dir))


def _dry_run(config: Config, options: Options) -> None:
    settings = config.dataset_generation
    schemas = {row.schema_id: row for row in read_rows(settings.final_schemas_out, SchemaRow)}
    given = [query for queries in read_requests(settings).values() for query in queries if query.schema_id in schemas]
    if not given:
        raise RunError(f"{settings.schema_queries_out}: no request", "Run stage 03 first.")
    answered = answered_ids(answers_path(settings))
    each = config.teacher.samples + 2 * config.teacher.round_trip
    calls = each * settings.positives_per_schema * len(schemas)
    there = min(calls, each * len(answered))
    first = next((query for query in given if query.query_id not in answered), given[0])
    schema = schemas[first.schema_id].schema_json
    dry_run.show(config, options, "04", calls, there, lambda teacher: teacher.answer(schema, first))


async def _run(config: Config, options: Options) -> None:
    settings = config.dataset_generation
    inputs = [Input(Path(settings.schema_specs_out)), Input(Path(settings.final_schemas_out))]
    inputs.append(Input(Path(settings.schema_queries_out), without={"source": "topup"}))
    async with the_teacher(config, options, "04") as teacher:
        asked = teacher_settings(config, teacher)
        stage = StageRun.begin(
            "04",
            outputs=[Path(settings.dataset_out)],
            settings=settings_of(config, *(f"dataset_generation.{key}" for key in SETTINGS)) | asked,
            inputs=inputs,
            root=config.run.outputs_root,
            fresh=options.fresh,
            growing={"dataset_generation.positives_per_schema"},
        )
        if stage.status != "complete":
            answers = _begin_answers(config, asked, inputs, options.fresh)
            stage.finish(**await write_dataset(settings, teacher, answers))


def _begin_answers(config: Config, asked: Mapping[str, Any], inputs: list[Input], fresh: bool) -> Path:
    """The journal of answers. It outlives changes of shares and ratios: another teacher or input starts it anew."""
    settings = config.dataset_generation
    path = answers_path(settings)
    root = config.run.outputs_root
    with contextlib.redirect_stdout(None):  # what changed is said of the data set already
        journal = StageRun.begin("04", outputs=[path], settings=asked, inputs=inputs, root=root, fresh=fresh)
    if journal.status == "new":
        _drop_topups(Path(settings.schema_queries_out))
    return path


def answers_path(settings: DatasetGeneration) -> Path:
    """`d_04_dataset.answers.jsonl` beside the data set."""
    return Path(settings.dataset_out).with_suffix(".answers.jsonl")


def _drop_topups(path: Path) -> None:
    rows = list(read_rows(path, QueryRow, repair=True))
    kept = [row for row in rows if row.source != "topup"]
    if len(kept) < len(rows):
        write_atomic(path, kept)


async def write_dataset(settings: DatasetGeneration, teacher: Teacher, answers: Path) -> dict[str, Any]:
    """Selects, breaks and writes; gives back what the record of the run keeps. RunError when no row was accepted."""
    schemas = list(read_rows(settings.final_schemas_out, SchemaRow))
    plan = Plan.of(schemas, settings)
    teacher.prepare(schema.schema_json for schema in schemas)
    with AnswerBook(answers, teacher) as book:
        accepted = _by_schema(await _accepted(schemas, plan, settings, book))
        failures = len(book.failures())
    sort_queries(Path(settings.schema_queries_out))
    if not accepted:
        raise RunError(f"{settings.dataset_out}: not one request was answered", f"The reasons stand in {answers}.")
    counts: Counter[str] = Counter()
    write_atomic(settings.dataset_out, _counted(_rows(schemas, accepted, plan, settings), counts))
    short = _shortfalls(schemas, accepted, settings.positives_per_schema)
    made = f"{counts['positives']} positives, {counts['negatives']} negatives"
    print(f"04: {made}, {failures} failed answers", flush=True)
    return {**counts, "failed_answers": failures, "short": short, "known_names": plan.partly_known()}


async def _accepted(
    schemas: Sequence[SchemaRow], plan: Plan, settings: DatasetGeneration, book: AnswerBook
) -> list[Accepted]:
    """Decides, asks for what that lacked, and decides again, until nothing is lacking that may be tried."""
    given = read_requests(settings)
    requests = [Requests(schema, given.get(schema.schema_id, [])) for schema in schemas]
    candidates, rows = Candidates(book.known), settings.positives_per_schema
    with RowWriter(settings.schema_queries_out) as topups:
        await top_up(book.teacher, [(each, 1) for each in requests if each.is_split], topups)
        number = 0
        while True:
            number += 1
            queues = [SchemaQueue(each, plan.shares_of(each.schema), candidates, rows) for each in requests]
            found = select(queues, rows)
            if not found.lacks:
                return found.accepted
            await top_up(book.teacher, [(lack.requests, lack.more) for lack in found.lacks if lack.more], topups)
            asked = [(lack.requests.schema, query) for lack in found.lacks for query in lack.unanswered]
            await book.ask(f"04: {len(found.accepted)} of {rows * len(schemas)} rows, round {number}", asked)


def _by_schema(rows: Iterable[Accepted]) -> dict[str, list[Accepted]]:
    grouped: dict[str, list[Accepted]] = defaultdict(list)
    for row in rows:
        grouped[row.schema.schema_id].append(row)
    return grouped


def _rows(
    schemas: Iterable[SchemaRow],
    accepted: Mapping[str, list[Accepted]],
    plan: Plan,
    settings: DatasetGeneration,
) -> Iterator[DatasetRow]:
    """Schema by schema: each positive, then its negatives."""
    for schema in schemas:
        for rank, row in enumerate(accepted.get(schema.schema_id, [])):
            positive = _positive(row, plan)
            yield positive
            due = negatives_due(schema.schema_id, rank, settings.negative_ratio)
            yield from negatives_of(positive, due, settings.seed)


def _positive(row: Accepted, plan: Plan) -> DatasetRow:
    query = row.candidate.query
    return DatasetRow(
        query_id=query.query_id,
        schema_id=query.schema_id,
        domain_id=row.schema.domain_id,
        language=query.language,
        schema_json=row.schema.schema_json,
        query=query.query,
        ast_json=row.candidate.ast,
        is_valid=True,
        split=row.split,
        names=plan.grade_of(row.schema),
        source=query.source,
        agreement=row.candidate.answer.agreement,
        made_by=row.candidate.answer.made_by,
    )


def _counted(rows: Iterable[DatasetRow], counts: Counter[str]) -> Iterator[DatasetRow]:
    for row in rows:
        counts["positives" if row.is_valid else "negatives"] += 1
        yield row


def _shortfalls(schemas: Sequence[SchemaRow], accepted: Mapping[str, list[Accepted]], wanted: int) -> dict[str, int]:
    """Rows that each schema lacks, said on stderr."""
    short = {row.schema_id: wanted - len(accepted.get(row.schema_id, [])) for row in schemas}
    short = {schema_id: lacking for schema_id, lacking in short.items() if lacking}
    for schema_id, lacking in short.items():
        print(f"04: warning: {schema_id} lacks {lacking} of {wanted} rows: its tries are spent", file=sys.stderr)
    return short
