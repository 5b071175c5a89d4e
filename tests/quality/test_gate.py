from typing import Any

import pytest

from astudent.quality.gate import run_gate, similarity
from astudent.records import DatasetRow, MadeBy

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"limit": {"type": "integer", "minimum": 1}, "sort": {"type": "string"}},
    "additionalProperties": False,
}
OTHER: dict[str, Any] = SCHEMA | {"title": "other"}


def row(query_id: str, query: str, ast: dict[str, Any], **changes: Any) -> DatasetRow:
    fields: dict[str, Any] = {
        "query_id": query_id,
        "schema_id": "shop-00",
        "domain_id": "shop",
        "language": "en",
        "schema_json": SCHEMA,
        "query": query,
        "ast_json": ast,
        "is_valid": True,
        "split": "train",
        "names": "seen",
        "source": "generated",
        "made_by": MadeBy(provider="embedded", model="embedded", seed=1),
    }
    return DatasetRow(**fields | changes)


CLEAN = [
    row("a", "first two", {"limit": 2}),
    row("a-n0", "first two", {"limit": "2"}, is_valid=False, positive_id="a", mutation="wrong_type"),
    row("b", "first three", {"limit": 3}),
    row("c", "first four", {"limit": 4}, split="test_seen"),
    row("d", "first five", {"limit": 5}, split="align"),
    row("e", "first six", {"limit": 6}, split="test_unseen", schema_json=OTHER, schema_id="other-00"),
]

FAULTS = {
    "invalid_positive": row("x", "first minus", {"limit": -1}),
    "valid_negative": row("x", "first two", {"limit": 9}, is_valid=False, positive_id="a"),
    "orphan_negative": row("x", "first two", {"limit": "9"}, is_valid=False, positive_id="nobody"),
    "duplicate_id": row("b", "first ten", {"limit": 10}),
    "duplicate": row("x", "First  TWO!", {"limit": 2}),
    "label_conflict": row("x", "first two", {"limit": 12}),
    "request_leak": row("x", "first three", {"limit": 13}, split="test_unseen", schema_json=OTHER),
    "ast_leak": row("x", "three at most", {"limit": 3}, split="test_seen"),
    "schema_leak": row("x", "first seven", {"limit": 7}, split="test_unseen"),
    "broken_schema": row("x", "first eight", {"limit": 8}, schema_json={"$ref": "http://example.org/schema"}),
}


def test_clean_rows_pass_and_are_counted():
    report = run_gate(CLEAN, "d_04.jsonl")
    assert (report.verdict, report.rows, report.total) == ("pass", 6, 0)
    assert report.counts["split"] == {"train": 3, "test_seen": 1, "align": 1, "test_unseen": 1}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_found_and_named(kind: str):
    report = run_gate([*CLEAN, FAULTS[kind]], "d_04.jsonl")
    assert report.verdict == "fail"
    assert [(violation.kind, violation.line, violation.id) for violation in report.named] == [
        (kind, 7, FAULTS[kind].query_id)
    ]
    assert report.named[0].one_line().startswith("d_04.jsonl:7: ")


def test_a_negative_belongs_to_a_positive_of_its_own_split():
    report = run_gate([*CLEAN, row("x", "q", {"limit": "9"}, is_valid=False, positive_id="a", split="align")])
    assert report.by_kind == {"orphan_negative": 1}


def test_no_training_row_is_a_violation():
    assert run_gate([]).by_kind == {"no_training_rows": 1}
    assert run_gate([CLEAN[3]]).by_kind == {"no_training_rows": 1}


def test_equivalent_spellings_of_one_ast_leak():
    both = [{"field": "a", "operator": "eq", "value": 1}, {"field": "b", "operator": "eq", "value": 2}]
    anything: dict[str, Any] = {"type": "object"}
    rows = [
        row("a", "a is 1 and b is 2", {"where": {"and": both}}, schema_json=anything),
        row("b", "b is 2 and a is 1", {"where": {"and": both[::-1]}}, schema_json=anything, split="test_seen"),
    ]
    assert run_gate(rows).by_kind == {"ast_leak": 1}


def test_a_million_violations_are_counted_but_not_all_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("astudent.quality.violations.MAX_NAMED", 3)
    report = run_gate([row(str(number), f"q {number}", {"limit": -1}) for number in range(10)])
    assert (len(report.named), report.total) == (3, 10)


def test_the_report_is_json_of_the_gates_shape():
    written = run_gate([*CLEAN, FAULTS["ast_leak"]], "d_04.jsonl").as_json()
    assert written["verdict"] == "fail" and written["suspicions"] == []
    assert written["violations"][0].keys() == {"file", "line", "id", "kind", "path", "found", "expected"}


def test_nearly_the_same_words_for_one_ast_are_a_suspicion_only():
    twin = row("x", "now the first two please", {"limit": 2})
    rows = [row("a", "the first two please", {"limit": 2}), twin, row("b", "the first two please", {"limit": 3})]
    report = run_gate(rows, near_duplicate_similarity=0.6)
    assert [suspicion.id for suspicion in report.suspicions] == ["x"]
    assert report.by_kind == {"label_conflict": 1}
    assert not run_gate(rows, near_duplicate_similarity=0.7).suspicions


def test_similarity_counts_runs_of_three_words():
    assert similarity("a b c d", "a b c d") == 1.0
    assert similarity("a b c d", "a b c e") == pytest.approx(1 / 3)
    assert similarity("a", "b") == 0.0
    assert similarity("", "") == 1.0
