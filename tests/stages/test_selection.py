"""Deciding as far as the answers reach comes to what asking one by one comes to, and asks for next to nothing more."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astudent.language.splits import seen_schema_shares
from astudent.records import MadeBy, QueryRow, SchemaRow
from astudent.stages.answers import AnswerRow
from astudent.stages.requests import TOPUP_BATCH, Requests
from astudent.stages.selection import TRIES_PER_ROW, Candidates, SchemaQueue, Selection, select

MADE_BY = MadeBy(provider="ollama", model="tiny")
SHARES = seen_schema_shares(0.2, 0.2)


def schema_row(number: int) -> SchemaRow:
    named: dict[str, Any] = {"schema_id": f"s{number}", "domain_id": "d", "variant": number}
    return SchemaRow(**named, operators=[], schema_json={}, schema_hash="", spec_hash="", made_by=MADE_BY)


def query_row(schema: str, number: int, text: str) -> QueryRow:
    named: dict[str, Any] = {"query_id": f"{schema}-q{number:06d}", "schema_id": schema, "language": "en"}
    return QueryRow(**named, query=text, source="generated", made_by=MADE_BY)


class World:
    """What a teacher would answer: each request's text and AST are drawn from few, so that they often repeat."""

    def __init__(self, seed: int, schemas: int, kinds: int, failing: float) -> None:
        self.seed, self.schemas, self.kinds, self.failing = seed, schemas, kinds, failing
        self.answers: dict[str, AnswerRow] = {}
        self.requests = [Requests(schema_row(number), []) for number in range(schemas)]
        for requests in self.requests:
            self.write(requests, 5)

    def write(self, requests: Requests, count: int) -> None:
        schema = requests.schema.schema_id
        for number in range(len(requests.rows), len(requests.rows) + count):
            rng = random.Random(f"{self.seed}:{schema}:{number}")
            requests.rows.append(query_row(schema, number, f"request {rng.randrange(self.kinds)}"))

    def ask(self, query: QueryRow) -> None:
        assert query.query_id not in self.answers, "asked twice"
        rng = random.Random(f"{self.seed}:{query.query}")
        ast = (
            None
            if random.Random(f"{self.seed}:{query.query_id}").random() < self.failing
            else {"limit": rng.randrange(9)}
        )
        error = None if ast else "no"
        self.answers[query.query_id] = AnswerRow(
            query_id=query.query_id, ast_json=ast, error=error, raw=None, made_by=MADE_BY
        )

    def decide(self, rows: int, candidates: Candidates) -> Selection:
        return select([SchemaQueue(each, SHARES, candidates, rows) for each in self.requests], rows)

    def asked_in_vain(self, rows: int) -> int:
        """Answers that the last decision, which has them all, does not look at."""
        missed = self.answers.copy()

        def known(query_id: str) -> AnswerRow | None:
            missed.pop(query_id, None)
            return self.answers.get(query_id)

        self.decide(rows, Candidates(known))
        return len(missed)

    def run(self, rows: int, at_once: int | None) -> list[tuple[str, int, str, str]]:
        """Rounds of asking; `at_once` requests of each lacking schema, or all that it lacks."""
        candidates = Candidates(self.answers.get)
        while True:
            found = self.decide(rows, candidates)
            if not found.lacks:
                return [(a.schema.schema_id, a.slot, a.split, a.candidate.query.query_id) for a in found.accepted]
            for lack in found.lacks:
                if lack.more and (at_once is None or not lack.unanswered):
                    self.write(lack.requests, TOPUP_BATCH)
                for query in lack.unanswered[:at_once]:
                    self.ask(query)


@given(seed=st.integers(0, 10**6), kinds=st.sampled_from([4, 15, 200]), failing=st.sampled_from([0.0, 0.3]))
@settings(max_examples=60)
def test_many_at_once_decide_as_one_by_one(seed: int, kinds: int, failing: float):
    one, many = World(seed, 3, kinds, failing), World(seed, 3, kinds, failing)
    rows = 7
    decided = one.run(rows, at_once=1)
    assert many.run(rows, at_once=None) == decided
    for requests in many.requests:
        texts = [
            requests.rows[int(row[3].rpartition("q")[2])].query
            for row in decided
            if row[0] == requests.schema.schema_id
        ]
        assert len(set(texts)) == len(texts)
        asked = sum(row.query_id in many.answers for row in requests.rows)
        assert asked <= TRIES_PER_ROW * rows


def test_next_to_nothing_is_asked_in_vain():
    asked = in_vain = 0
    for seed in range(100):
        world = World(seed, 3, kinds=15, failing=0.3)
        world.run(7, at_once=None)
        asked += len(world.answers)
        in_vain += world.asked_in_vain(7)
    assert asked > 3000
    assert in_vain <= asked / 100


def test_an_answer_known_ahead_is_counted_before_more_is_asked():
    requests = Requests(schema_row(0), [query_row("s0", number, text) for number, text in enumerate("aabcd")])
    answers = {"s0-q000000": None, "s0-q000002": {"limit": 1}}  # the first "a" failed; the second was not asked

    def known(query_id: str) -> AnswerRow | None:
        if query_id not in answers:
            return None
        return AnswerRow(query_id=query_id, ast_json=answers[query_id], error=None, raw=None, made_by=MADE_BY)

    (lack,) = select([SchemaQueue(requests, {"train": 1.0}, Candidates(known), 3)], 3).lacks
    assert [query.query_id for query in lack.unanswered] == ["s0-q000001", "s0-q000003"]
    assert lack.more == 0


@pytest.mark.parametrize("rows", [1, 7, 12])
def test_where_requests_abound_every_schema_gets_its_rows(rows: int):
    decided = World(1, 4, 10**6, 0.3).run(rows, at_once=None)
    assert [sum(row[0] == f"s{number}" for row in decided) for number in range(4)] == [rows] * 4
