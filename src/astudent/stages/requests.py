"""The requests that stage 04 may use, in the order of their index: examples, d_03, then newly asked top-ups."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from astudent.jsonl import RowWriter, read_rows
from astudent.records import DomainSpec, QueryRow, SchemaRow
from astudent.settings import DatasetGeneration
from astudent.stages.queries import FIRST_TOPUP, ask_queries, number_of
from astudent.teacher.protocol import Teacher

# Requests asked for at a time when a schema has run out of them.
TOPUP_BATCH = 10


def read_requests(settings: DatasetGeneration) -> dict[str, list[QueryRow]]:
    """Requests by schema: the spec's examples as rows of source `example`, then d_03's, top-ups last."""
    requests: dict[str, list[QueryRow]] = defaultdict(list)
    for spec in read_rows(settings.schema_specs_out, DomainSpec):
        requests[spec.schema_id].extend(example_rows(spec))
    written = read_rows(Path(settings.schema_queries_out), QueryRow, repair=True)
    for row in sorted(written, key=lambda row: (row.source == "topup", number_of(row))):
        requests[row.schema_id].append(row)
    return requests


def example_rows(spec: DomainSpec) -> Iterator[QueryRow]:
    """A spec's example requests as d_03 would hold them."""
    for number, example in enumerate(spec.examples):
        yield QueryRow(
            query_id=f"{spec.schema_id}-e{number:06d}",
            schema_id=spec.schema_id,
            language=example.language,
            query=example.query,
            source="example",
            ast_json=example.ast_json,
            made_by=spec.made_by,
        )


def request_batches(
    teacher: Teacher, schema: SchemaRow, given: Iterable[QueryRow], topups: RowWriter
) -> Iterator[list[QueryRow]]:
    """First the given requests, then batches of top-ups without end, each appended to d_03 before it is used."""
    given = list(given)
    yield given
    have = {row.query_id for row in given if row.source == "topup"}
    numbers = [number_of(row) for row in given if row.source == "topup"]
    # A kill may have left the last batch in pieces: it is asked for once more, and what is there stays as it is.
    start = FIRST_TOPUP + (max(numbers) - FIRST_TOPUP) // TOPUP_BATCH * TOPUP_BATCH if numbers else FIRST_TOPUP
    if sum(number >= start for number in numbers) == TOPUP_BATCH:
        start += TOPUP_BATCH
    while True:
        fresh = [row for row in ask_queries(teacher, schema, start, TOPUP_BATCH, "topup") if row.query_id not in have]
        for row in fresh:
            topups.append(row)
        yield fresh
        start += TOPUP_BATCH
