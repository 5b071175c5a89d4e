"""The requests that stage 04 may use, in the order of their index: examples, d_03, then newly asked top-ups."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from astudent.in_order import in_order
from astudent.jsonl import RowWriter, read_rows
from astudent.records import DomainSpec, QueryRow, SchemaRow
from astudent.settings import DatasetGeneration
from astudent.stages.queries import FIRST_TOPUP, Job, ask_queries, number_of
from astudent.teacher.protocol import Teacher, TeacherFailure

# Requests asked for at a time when a schema has run out of them.
TOPUP_BATCH = 10


@dataclass
class Requests:
    """One schema's requests so far. `lost_calls` are top-ups that the teacher failed at; each counts as one try."""

    schema: SchemaRow
    rows: list[QueryRow]
    lost_calls: int = field(init=False)
    next_topup: int = field(init=False)
    is_split: bool = field(init=False)
    """Whether a kill left the last batch in pieces: then it is asked for once more, and what is there stays."""

    def __post_init__(self) -> None:
        numbers = [number_of(row) for row in self.rows if row.source == "topup"]
        begun = (max(numbers) - FIRST_TOPUP) // TOPUP_BATCH if numbers else 0
        self.next_topup = FIRST_TOPUP + begun * TOPUP_BATCH
        last = sum(number >= self.next_topup for number in numbers)
        self.is_split = 0 < last < TOPUP_BATCH
        self.next_topup += TOPUP_BATCH if last == TOPUP_BATCH else 0
        came = {(number - FIRST_TOPUP) // TOPUP_BATCH for number in numbers}
        self.lost_calls = max(came, default=-1) + 1 - len(came)


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


async def top_up(teacher: Teacher, lacking: Sequence[tuple[Requests, int]], writer: RowWriter) -> None:
    """Asks for at least so many more requests of each schema; each is appended to d_03 before it is used."""
    by_schema = {requests.schema.schema_id: requests for requests, _ in lacking}
    async for job, found in in_order(lambda job: ask_queries(teacher, job), _jobs(lacking), teacher.ahead):
        requests = by_schema[job.schema.schema_id]
        if isinstance(found, TeacherFailure) or not found:
            requests.lost_calls += 1
            continue
        have = {row.query_id for row in requests.rows}
        for row in found:
            if row.query_id not in have:
                writer.append(row)
                requests.rows.append(row)


def _jobs(lacking: Iterable[tuple[Requests, int]]) -> Iterator[Job]:
    for requests, count in lacking:
        for _ in range(-(-count // TOPUP_BATCH)):
            yield Job(requests.schema, range(requests.next_topup, requests.next_topup + TOPUP_BATCH), "topup")
            requests.next_topup += TOPUP_BATCH
