"""Which requests of a schema are accepted into which split, decided by index and never by arrival.

All schemas take their first row, then all their second, and so on. Each decision depends on earlier ones only, so a
larger N keeps every earlier row and adds to it, and a resumed run decides as an uninterrupted one.

What is not answered yet is found out by deciding as far as the answers reach: a schema that lacks m rows then needs
its next m requests answered, whatever these answers are. So many can be asked for at once. Where a schema waits for an
answer the others are decided ahead without it, which asks, rarely, for a request that is not needed in the end;
asking for none in vain would mean one call of the teacher at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from astudent.language.canonical import canonical_text
from astudent.language.splits import Registry, digest_of, normalised_request, slot_splits
from astudent.records import QueryRow, SchemaRow, Split
from astudent.stages.answers import AnswerRow
from astudent.stages.requests import Requests

# Requests that may be tried for each wanted row, before a schema is said to fall short.
TRIES_PER_ROW = 8

Known = Callable[[str], AnswerRow | None]


@dataclass(frozen=True)
class Candidate:
    """A request with its valid AST, and the keys that no two sides of the data may share."""

    query: QueryRow
    ast: dict[str, Any]
    answer: AnswerRow
    keys: tuple[str, str]


@dataclass(frozen=True)
class Accepted:
    """The candidate that takes slot number `slot` (from 0) of its schema."""

    schema: SchemaRow
    slot: int
    split: Split
    candidate: Candidate


@dataclass(frozen=True)
class Lack:
    """A schema that cannot go on: `unanswered` requests to ask, and how many `more` have to be written."""

    requests: Requests
    unanswered: list[QueryRow]
    more: int


@dataclass
class Selection:
    """The accepted rows so far, in the order of deciding, and what the schemas lack."""

    accepted: list[Accepted]
    lacks: list[Lack]


@dataclass
class Candidates:
    """Answered requests as candidates, each worked out once; None for one that the teacher failed on."""

    known: Known
    _made: dict[str, Candidate | None] = field(default_factory=dict)

    def is_known(self, query: QueryRow) -> bool:
        """Whether the request has been answered."""
        return query.query_id in self._made or self.known(query.query_id) is not None

    def of(self, query: QueryRow) -> Candidate | None:
        """The candidate of an answered request."""
        if query.query_id not in self._made:
            self._made[query.query_id] = self._candidate(query)
        return self._made[query.query_id]

    def _candidate(self, query: QueryRow) -> Candidate | None:
        answer = self.known(query.query_id)
        if answer is None or answer.ast_json is None:
            return None
        keys = (f"request {normalised_request(query.query)}", f"ast {canonical_text(answer.ast_json)}")
        return Candidate(query, answer.ast_json, answer, keys)


class SchemaQueue:
    """One schema's requests in index order: each is looked at once, and waits when it fits no slot yet."""

    def __init__(self, requests: Requests, shares: Mapping[Split, float], candidates: Candidates, rows: int) -> None:
        """`rows` are wanted in all."""
        self.requests = requests
        self._splits = slot_splits(shares, requests.schema.schema_id)
        self._candidates = candidates
        self._wanted, self._budget = rows, TRIES_PER_ROW * rows
        self._next = 0
        self._waiting: list[Candidate] = []
        self._used: set[bytes] = set()
        self._taken = 0

    @property
    def is_lacking(self) -> bool:
        """Whether it has slots to fill and tries left, but its next request is not answered or not written."""
        return self._taken < self._wanted and self._tried < self._budget and self._is_starved()

    def next_split(self) -> Split:
        """The split of the next slot."""
        return next(self._splits)

    def take(self, split: Split, registry: Registry) -> Candidate | None:
        """The first candidate that `split` may hold, None when the budget is spent or nothing more is answered."""
        for position, candidate in enumerate(self._waiting):
            if registry.admits(candidate.keys, split):
                self._taken += 1
                return self._waiting.pop(position)
        for candidate in self._fresh():
            if registry.admits(candidate.keys, split):
                self._taken += 1
                return candidate
            self._waiting.append(candidate)
        return None

    def lack(self) -> Lack:
        """What a lacking queue needs before it can go on: never more than it would need in any case."""
        slots = self._wanted - self._taken - len(self._waiting)  # one that waits may fill a later slot
        due = min(max(1, slots), self._budget - self._tried)
        unanswered: dict[bytes, QueryRow] = {}
        coming: set[bytes] = set()  # answered ahead of one that is not
        for query in self.requests.rows[self._next :]:
            request = self._request(query)
            if request is None or request in coming:
                continue
            if self._candidates.is_known(query):
                if self._candidates.of(query):
                    coming.add(request)
                    due -= 1
            elif due > 0:
                unanswered.setdefault(request, query)  # one that repeats it may serve where the first fails
                due -= 1
        return Lack(self.requests, list(unanswered.values()), max(due, 0))

    @property
    def _tried(self) -> int:
        return self._next + self.requests.lost_calls

    def _fresh(self) -> Iterator[Candidate]:
        """Candidates of the requests not looked at yet; repetitions and the teacher's failures are tries as well."""
        while self._tried < self._budget and not self._is_starved():
            query = self.requests.rows[self._next]
            self._next += 1
            candidate, request = self._candidates.of(query), self._request(query)
            if candidate is not None and request is not None:
                self._used.add(request)
                yield candidate

    def _is_starved(self) -> bool:
        """Whether there is no answered request to look at; a request that would not be asked is passed over."""
        rows = self.requests.rows
        while self._next < len(rows) and self._request(rows[self._next]) is None and self._tried < self._budget:
            self._next += 1
        return self._next == len(rows) or not self._candidates.is_known(rows[self._next])

    def _request(self, query: QueryRow) -> bytes | None:
        """What the request is known by; None where it is empty, or repeats one that was used."""
        text = normalised_request(query.query)
        digest = digest_of(text)
        return digest if text and digest not in self._used else None


def select(queues: Sequence[SchemaQueue], rows_per_schema: int) -> Selection:
    """Fills `rows_per_schema` slots of every schema, slot by slot; a slot that nothing fits is left out."""
    registry, accepted = Registry(), []
    for slot in range(rows_per_schema):
        for queue in queues:
            split = queue.next_split()
            candidate = queue.take(split, registry)
            if candidate is not None:
                registry.register(candidate.keys, split)
                accepted.append(Accepted(queue.requests.schema, slot, split, candidate))
    return Selection(accepted, [queue.lack() for queue in queues if queue.is_lacking])
