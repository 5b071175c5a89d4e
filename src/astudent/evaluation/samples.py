"""Which dataset rows an evaluation asks, and in which order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from astudent.errors import RunError
from astudent.evaluation.results import Kind
from astudent.language.serialise import serialise
from astudent.prompt import build_prompt
from astudent.records import DatasetRow
from astudent.settings import Prompt

Ast = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """One request to answer. `row` is the positive row; a repair sample also shows a broken AST and its message."""

    query_id: str
    kind: Kind
    row: DatasetRow
    broken_ast: Ast | None = None
    message: str | None = None


@dataclass(frozen=True)
class SchemaLimit:
    """At most `most` schemas of a split are asked about; `new_names_share` (0 to 1) of them have names that occur in no training row."""

    most: int
    new_names_share: float


def choose_samples(
    rows: Iterable[DatasetRow],
    splits: Sequence[str],
    max_samples: int | None,
    include_invalid: bool,
    limit: SchemaLimit | None = None,
) -> list[Sample]:
    """The samples of `splits`: of each at most `max_samples` requests, taken in turn from the schemas that `limit` leaves (None: all).

    A larger maximum keeps the smaller one's samples. RunError names a split that the dataset lacks.
    """
    of_split: dict[str, list[DatasetRow]] = {split: [] for split in splits}
    for row in rows:
        if row.split in of_split:
            of_split[row.split].append(row)
    chosen: list[Sample] = []
    for split, members in of_split.items():
        positives = _in_turn([row for row in members if row.is_valid], limit)[:max_samples]
        if not positives:
            raise RunError(f"the dataset has no valid row of split {split!r}", "Name another --split, or run stage 04.")
        chosen.extend(Sample(row.query_id, "plain", row) for row in positives)
        if include_invalid:
            chosen.extend(_repairs(members, positives))
    return chosen


def _in_turn(rows: Sequence[DatasetRow], limit: SchemaLimit | None) -> list[DatasetRow]:
    """One row of each schema, then the second of each, and so on: any prefix spreads over all schemas that are asked."""
    by_schema: dict[str, list[DatasetRow]] = defaultdict(list)
    for row in rows:
        by_schema[row.schema_id].append(row)
    groups = by_schema.values() if limit is None else _some_schemas(by_schema, limit)
    places = [(turn, order, row) for order, group in enumerate(groups) for turn, row in enumerate(group)]
    return [row for _, _, row in sorted(places, key=lambda place: place[:2])]


def _some_schemas(by_schema: Mapping[str, list[DatasetRow]], limit: SchemaLimit) -> Iterator[list[DatasetRow]]:
    """By the hash of their ids; where one kind of names has no schema left, the other goes on."""
    left: dict[str, list[str]] = {"new": [], "seen": []}
    for schema_id in sorted(by_schema, key=lambda schema_id: sha256(schema_id.encode()).digest(), reverse=True):
        left[by_schema[schema_id][0].names].append(schema_id)
    taken = Counter[str]()
    for turn in range(min(limit.most, len(by_schema))):
        wanted = "new" if taken["new"] < limit.new_names_share * (turn + 1) else "seen"
        names = wanted if left[wanted] else next(names for names in left if left[names])
        taken[names] += 1
        yield by_schema[left[names].pop()]


def _repairs(members: Iterable[DatasetRow], positives: Iterable[DatasetRow]) -> Iterator[Sample]:
    by_id = {row.query_id: row for row in positives}
    for row in members:
        positive = by_id.get(row.positive_id or "")
        if not row.is_valid and positive:
            yield Sample(row.query_id, "repair", positive, row.ast_json, row.validator_message or "")


def content_of(sample: Sample, prompt: Prompt) -> str:
    """The prompt's content, in the same words as in the training corpus."""
    row, repair = sample.row, None
    if sample.broken_ast is not None:
        repair = (serialise(sample.broken_ast, row.schema_json), sample.message or "")
    return build_prompt(row.schema_json, row.query, prompt, repair)
