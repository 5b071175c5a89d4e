"""Free and constrained answers to the same requests: what the grammar cost, what it changed, what it cannot enforce."""

from collections.abc import Callable
from typing import Any

import pytest

from astudent.errors import RunError
from astudent.evaluation.constraint import constraint_summary, hidden, with_grammar
from astudent.evaluation.results import ResultRow
from astudent.evaluation.samples import Sample
from astudent.records import DatasetRow

IMPOSSIBLE = {"type": "object", "properties": {"a": False}, "required": ["a"]}
UNIQUE = {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True}}}
RIGHT = {"schema_valid": True, "equivalent": True}
WRONG = {"schema_valid": True, "equivalent": False}
BROKEN = {"schema_valid": False, "equivalent": False}


@pytest.fixture
def samples(row: Callable[..., DatasetRow]) -> list[Sample]:
    schemas = {"s-plain": {"type": "object"}, "s-unique": UNIQUE, "s-never": IMPOSSIBLE}
    rows = [row(n, schema_id=name, schema_json=schema) for n, (name, schema) in enumerate(schemas.items())]
    return [Sample(made.query_id, "plain", made) for made in rows]


def test_what_a_grammar_cannot_enforce_is_listed(samples: list[Sample]) -> None:
    assert [sample.row.schema_id for sample in with_grammar(samples)] == ["s-plain", "s-unique"]
    found = constraint_summary(samples, [], [])
    assert found["schemas"] == 3 and found["splits"] == {}
    assert list(found["left_out"]) == ["s-unique"] and "uniqueItems" in found["left_out"]["s-unique"][0]
    assert list(found["refused"]) == ["s-never"] and "unsatisfiable" in found["refused"]["s-never"]
    with pytest.raises(RunError, match="no schema can be enforced; s-never"):
        with_grammar(samples[2:])


def test_time_and_outcomes_are_of_the_same_requests(make_rows: Callable[..., list[ResultRow]]) -> None:
    free = changed(make_rows(latency_seconds=[1.0, 2.0, 1.0, 2.0, 9.0]), [RIGHT, WRONG, BROKEN, BROKEN, RIGHT])
    constrained = changed(make_rows(latency_seconds=[2.0, 4.0, 2.0, 4.0]), [RIGHT, WRONG, RIGHT, WRONG])
    found = constraint_summary([], free, constrained)["splits"]["test_unseen"]
    assert (found["samples"], found["free_seconds"], found["constrained_seconds"]) == (4, 1.5, 3.0)
    assert found["time_ratio"] == 2 and found["time_ratio_interval"] == [2, 2], "twice as slow in every request"
    assert found["outcomes"]["invalid"] == {"right": 1, "valid_but_wrong": 1, "invalid": 0}
    assert sum(count for row in found["outcomes"].values() for count in row.values()) == 4
    assert hidden(found["outcomes"]) == 1


def changed(rows: list[ResultRow], outcomes: list[dict[str, Any]]) -> list[ResultRow]:
    return [row.model_copy(update=outcome) for row, outcome in zip(rows, outcomes, strict=True)]
