"""Which requests of a schema are accepted into which split, decided by index and never by arrival.

All schemas take their first row, then all their second, and so on. Each decision depends on earlier ones only, so a
larger N keeps every earlier row and adds to it, and a resumed run decides as an uninterrupted one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from astudent.language.canonical import canonical_text
from astudent.language.splits import Registry, digest_of, normalised_request, slot_splits
from astudent.records import MadeBy, QueryRow, SchemaRow, Split

# Requests that may be tried for each wanted row, before a schema is said to fall short.
TRIES_PER_ROW = 8


@dataclass(frozen=True)
class Candidate:
    """A request with its valid AST, and the keys that no two sides of the data may share."""

    query: QueryRow
    ast: dict[str, Any]
    made_by: MadeBy
    keys: tuple[str, str]


@dataclass(frozen=True)
class Accepted:
    """The candidate that takes slot number `slot` (from 0) of its schema."""

    schema: SchemaRow
    slot: int
    split: Split
    candidate: Candidate


class SchemaQueue:
    """One schema's requests in index order: each is looked at once, and waits when it fits no slot yet."""

    def __init__(
        self,
        schema: SchemaRow,
        shares: Mapping[Split, float],
        batches: Iterable[list[QueryRow]],
        answer: Callable[[SchemaRow, QueryRow], tuple[dict[str, Any] | None, MadeBy]],
    ) -> None:
        """`batches` gives the requests, at last newly written ones without end; an empty batch counts as one try."""
        self.schema = schema
        self._splits = slot_splits(shares)
        self._batches = iter(batches)
        self._answer = answer
        self._fresh: list[QueryRow] = []
        self._waiting: list[Candidate] = []
        self._requests: set[bytes] = set()
        self.tried = 0

    def next_split(self) -> Split:
        """The split of the next slot."""
        return next(self._splits)

    def take(self, split: Split, registry: Registry, budget: int) -> Candidate | None:
        """The first candidate that `split` may hold, None when `budget` requests have been tried."""
        for position, candidate in enumerate(self._waiting):
            if registry.admits(candidate.keys, split):
                return self._waiting.pop(position)
        while self.tried < budget:
            candidate = self._next_candidate()
            if candidate is None:
                continue
            if registry.admits(candidate.keys, split):
                return candidate
            self._waiting.append(candidate)
        return None

    def _next_candidate(self) -> Candidate | None:
        """Tries one request: None when it is a repetition, the teacher failed on it, or there was none."""
        self.tried += 1
        if not self._fresh:
            self._fresh = list(reversed(next(self._batches, [])))
        if not self._fresh:
            return None
        query = self._fresh.pop()
        request = normalised_request(query.query)
        if not request or digest_of(request) in self._requests:
            return None
        ast, made_by = self._answer(self.schema, query)
        if ast is None:
            return None
        self._requests.add(digest_of(request))
        return Candidate(query, ast, made_by, (f"request {request}", f"ast {canonical_text(ast)}"))


def accepted_rows(queues: list[SchemaQueue], rows_per_schema: int) -> Iterator[Accepted]:
    """Fills `rows_per_schema` slots of every schema, slot by slot; a slot that nothing fits is left out."""
    registry = Registry()
    budget = TRIES_PER_ROW * rows_per_schema
    for slot in range(rows_per_schema):
        for queue in queues:
            split = queue.next_split()
            candidate = queue.take(split, registry, budget)
            if candidate is not None:
                registry.register(candidate.keys, split)
                yield Accepted(queue.schema, slot, split, candidate)
