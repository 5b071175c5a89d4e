import json
from pathlib import Path
from typing import Any

import pytest
from gate_rows import OTHER, SCHEMA, gated, row, write

from astudent.errors import UsageError
from astudent.quality.check import GateOptions
from astudent.quality.gate import run_gate

CLEAN: list[Any] = [
    row("a", "first two", {"limit": 2}),
    row("a-n0", "first two", {"limit": "2"}, is_valid=False, positive_id="a", mutation="wrong_type"),
    row("b", "first three", {"limit": 3}),
    row("c", "first four", {"limit": 4}, split="test_seen"),
    row("d", "first five", {"limit": 5}, split="align"),
    row("e", "first six", {"limit": 6}, split="test_unseen", schema_json=OTHER),
]
RENAMED = {
    "type": "object",
    "properties": {"most": {"type": "integer", "minimum": 1}, "order": {"type": "string"}},
    "additionalProperties": False,
}
LONG = row("x", "all of the first three", {"limit": 7, "sort": "by the price of each"})
FAULTS: dict[str, list[Any]] = {
    "not_json": ['{"query_id": "x", '],
    "missing_field": [{key: value for key, value in row("x", "q", {}).items() if key != "query"}],
    "wrong_type": [row("x", "first nine", [9])],
    "invalid_positive": [row("x", "first minus", {"limit": -1})],
    "valid_negative": [row("x", "first two", {"limit": 9}, is_valid=False, positive_id="a")],
    "orphan_negative": [row("x", "first two", {"limit": "9"}, is_valid=False, positive_id="nobody")],
    "duplicate_id": [row("b", "first ten", {"limit": 10})],
    "duplicate": [row("x", "First  TWO!", {"limit": 2})],
    "label_conflict": [row("x", "first two", {"limit": 12})],
    "request_leak": [row("x", "first three", {"limit": 13}, split="test_unseen", schema_json=OTHER)],
    "ast_leak": [row("x", "three at most", {"limit": 3}, split="test_seen")],
    "schema_leak": [row("x", "first seven", {"limit": 7}, split="test_unseen")],
    "broken_schema": [row("x", "first eight", {"limit": 8}, schema_json={"$ref": "http://example.org/schema"})],
    "wrong_language": [row("x", "montre les huit avec le prix", {"limit": 8})],
    "over_long": [row("x", "so " * 400, {"limit": 8})],
}


def test_clean_rows_pass_and_are_counted(tmp_path: Path):
    report = gated(tmp_path, CLEAN, apart=True, max_tokens=200)
    assert (report.verdict, report.rows, report.total) == ("pass", 6, 0)
    assert report.counts["split"] == {"train": 3, "test_seen": 1, "align": 1, "test_unseen": 1}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_found_and_named(tmp_path: Path, kind: str):
    report = gated(tmp_path, [*CLEAN, *FAULTS[kind]], apart=True, max_tokens=200)
    assert report.verdict == "fail"
    row_id = FAULTS[kind][0]["query_id"] if isinstance(FAULTS[kind][0], dict) else "-"
    assert [(found.kind, found.line, found.id) for found in report.named] == [(kind, 7, row_id)]
    assert report.named[0].one_line().startswith(f"{tmp_path}/rows.jsonl:7: ")


@pytest.mark.parametrize("other", ["align", "test", "val", "test_seen"])
@pytest.mark.parametrize("query", [LONG["query"], "some of the first three", "ALL of the, first three."])
def test_the_same_text_or_one_changed_word_with_an_equal_ast_is_a_leak(tmp_path: Path, other: str, query: str):
    report = gated(tmp_path, [LONG, LONG | {"query_id": "y", "query": query, "split": other}])
    assert [(found.kind, found.id) for found in report.named] == [("leak", "y")]


@pytest.mark.parametrize("query", [LONG["query"], "some of the first three"])
def test_renamed_fields_do_not_hide_a_leak(tmp_path: Path, query: str):
    ast = {"most": 7, "order": "by the price of each"}
    leaked = row("y", query, ast, split="test", schema_json=RENAMED)
    assert gated(tmp_path, [LONG, leaked]).by_kind == {"renamed_leak": 1}


def test_a_near_miss_is_no_leak(tmp_path: Path):
    others = [
        row("y", "all of the first four", {"limit": 8, "sort": "by the price of each"}, split="test"),
        row("z", "by price, seven and no more", LONG["ast_json"], split="test"),
    ]
    assert gated(tmp_path, [LONG, *others]).total == 0


def test_val_and_test_may_hold_the_same(tmp_path: Path):
    assert gated(tmp_path, [LONG | {"split": "val"}, LONG | {"query_id": "y", "split": "test"}]).total == 0


def test_the_schema_that_few_rows_of_an_unseen_split_share_is_named_there_and_else_in_training(tmp_path: Path):
    unseen = [row(f"u{i}", f"unseen {i}", {"limit": i + 1}, split="test_unseen") for i in range(3)]
    report = gated(tmp_path, [row("a", "seen", {"limit": 9}), *unseen])
    assert [(found.kind, found.line) for found in report.named] == [("schema_leak", 1)]


def test_a_negative_belongs_to_a_positive_of_its_own_split(tmp_path: Path):
    negative = row("x", "q", {"limit": "9"}, is_valid=False, positive_id="a", split="align")
    assert gated(tmp_path, [*CLEAN, negative]).by_kind == {"orphan_negative": 1}


def test_no_training_row_is_a_violation_where_one_is_needed(tmp_path: Path):
    assert gated(tmp_path, [], needs_training=True).by_kind == {"no_training_rows": 1}
    assert gated(tmp_path, [CLEAN[3]], needs_training=True).by_kind == {"no_training_rows": 1}
    assert gated(tmp_path, [CLEAN[3]]).total == 0


def test_equivalent_spellings_of_one_ast_leak(tmp_path: Path):
    both = [{"field": "a", "operator": "eq", "value": 1}, {"field": "b", "operator": "eq", "value": 2}]
    rows = [
        row("a", "a is 1 and b is 2", {"where": {"and": both}}, schema_json={"type": "object"}),
        row("b", "b is 2, a is 1", {"where": {"and": both[::-1]}}, schema_json={"type": "object"}, split="test_seen"),
    ]
    assert gated(tmp_path, rows, apart=True).by_kind == {"ast_leak": 1}


def test_violations_beyond_those_that_are_named_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("astudent.quality.violations.MAX_NAMED", 3)
    report = gated(tmp_path, [row(str(number), f"q {number}", {"limit": -1}) for number in range(10)])
    assert (len(report.named), report.total) == (3, 10)


def test_every_error_of_a_row_is_named_with_its_place(tmp_path: Path):
    report = gated(tmp_path, [row("x", "q", {"limit": 0, "sort": 1, "a/b": 1})])
    assert {found.path for found in report.named} == {"/limit", "/sort", ""}


def test_the_report_is_json_of_the_gates_shape(tmp_path: Path):
    written = json.loads(json.dumps(gated(tmp_path, [*CLEAN, *FAULTS["ast_leak"]], apart=True).as_json()))
    assert written["verdict"] == "fail" and written["suspicions"] == [] and written["rows"] == 7
    assert written["violations"][0].keys() == {"file", "line", "id", "kind", "path", "found", "expected"}


def test_nearly_the_same_words_for_one_ast_are_a_suspicion_only(tmp_path: Path):
    twin = row("x", "now the first two please", {"limit": 2})
    rows = [row("a", "the first two please", {"limit": 2}), twin, row("b", "the first three please", {"limit": 3})]
    report = gated(tmp_path, rows, near_duplicate_similarity=0.6)
    assert [suspicion.id for suspicion in report.suspicions] == ["x"] and report.verdict == "pass"
    assert "rows.jsonl:1 (row a)" in report.suspicions[0].found and "67%" in report.suspicions[0].found
    assert not gated(tmp_path, rows, near_duplicate_similarity=0.7).suspicions


def test_files_without_splits_are_split_by_their_names(tmp_path: Path):
    plain = {key: value for key, value in LONG.items() if key != "split"}
    files = [write(tmp_path / name, [plain]) for name in ("orders.train.jsonl", "orders-test.jsonl")]
    report = run_gate(files, GateOptions(near_duplicate_similarity=0.9))
    assert [(found.kind, Path(found.file).name) for found in report.named] == [("leak", "orders-test.jsonl")]
    unnamed = [write(tmp_path / name, [plain]) for name in ("train.jsonl", "second.jsonl")]
    assert run_gate(unnamed, GateOptions(near_duplicate_similarity=0.9)).total == 0
    forced = run_gate(unnamed, GateOptions(near_duplicate_similarity=0.9, split_by_file=True))
    assert [found.kind for found in forced.named] == ["leak"]


def test_a_given_schema_is_for_rows_that_carry_none(tmp_path: Path):
    rows = [{"query": "q", "ast_json": {"limit": 0}}, {"query": "r", "ast_json": {"limit": 0}, "schema_json": {}}]
    assert [(found.line, found.kind) for found in gated(tmp_path, rows, schema=SCHEMA).named] == [
        (1, "invalid_positive")
    ]
    assert gated(tmp_path, rows).by_kind == {"missing_field": 1}


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(UsageError, match="nowhere"):
        run_gate([tmp_path / "nowhere.jsonl"], GateOptions(near_duplicate_similarity=0.9))


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    gated(tmp_path, CLEAN)
    assert not list((tmp_path / "tmp").iterdir())
