"""Whatever a line holds, it becomes a row or a violation."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from gate_rows import OTHER, SCHEMA, gated, row
from hypothesis import given, settings
from hypothesis import strategies as st

from astudent.quality.check import GateOptions, GateRow
from astudent.quality.gate import run_gate
from astudent.quality.rows import MAX_LINE, RowReader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
FIELDS = ("schema_json", "query", "ast_json", "split", "id", "language", "is_valid", "positive_id")


def checked(content: bytes) -> Any:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(content)
        return run_gate([path], GateOptions(near_duplicate_similarity=0.9, grounded=True, max_tokens=50))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes_are_checked(lines: list[bytes]):
    content = b"\n".join(lines)
    report = checked(content)
    assert report.rows == sum(bool(line.strip()) for line in content.split(b"\n"))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES), max_size=3))
def test_any_values_of_the_fields_are_checked(rows: list[dict[str, Any]]):
    report = checked("".join(json.dumps(each) + "\n" for each in rows).encode())
    assert report.rows == len(rows)
    assert {found.line for found in report.named} <= set(range(len(rows) + 1))


@pytest.mark.parametrize(
    ("line", "kind", "path"),
    [
        ("[" * 100_000, "not_json", ""),
        ('{"a": ' * 5_000, "not_json", ""),
        ("[1]", "not_json", ""),
        ('{"query": "q", "schema_json": {}, "ast_json": {"a": NaN}}', "not_json", ""),
        ('{"query": "q", "schema_json": {}, "ast_json": {"a": 1e999}}', "not_json", ""),
        ('{"query": "\\ud800", "schema_json": {}, "ast_json": {}}', "not_json", ""),
        ('{"query": " ", "schema_json": {}, "ast_json": {}}', "wrong_type", "/query"),
        ('{"query": "q", "schema_json": "{}", "ast_json": {}}', "wrong_type", "/schema_json"),
        ('{"query": "q", "schema_json": {}, "ast_json": {}, "split": 1}', "wrong_type", "/split"),
        ('{"query": "q", "schema_json": {}, "ast_json": {}, "is_valid": "no"}', "wrong_type", "/is_valid"),
        ('{"query": "q", "schema_json": {}}', "missing_field", "/ast_json"),
        ('{"query": "q", "schema_json": {"type": "nothing"}, "ast_json": {}}', "broken_schema", ""),
        ('{"query": "q", "schema_json": {}, "ast_json": ' + '{"a":' * 80 + "1" + "}" * 81, "wrong_type", "/ast_json"),
        ('{"query": "' + "q" * MAX_LINE + '"}', "not_json", ""),
    ],
)
def test_bad_lines(tmp_path: Path, line: str, kind: str, path: str):
    report = gated(tmp_path, [row("a", "first", {"limit": 1}), line, row("b", "second", {"limit": 2})])
    assert [(found.kind, found.path, found.line) for found in report.named] == [(kind, path, 2)]
    assert report.rows == 3


def read(folder: Path, lines: list[str]) -> list[GateRow]:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines))
    found = list(RowReader(GateOptions(near_duplicate_similarity=0.9)).read([str(path)]))
    assert all(isinstance(each, GateRow) for each in found)
    return [each for each in found if isinstance(each, GateRow)]


def test_a_schema_that_comes_again_is_compiled_once_and_the_row_is_the_same(tmp_path: Path):
    rows = [row(str(i), f"q {i}", {"limit": i + 1}, schema_json=schema) for i, schema in enumerate([SCHEMA, OTHER] * 3)]
    for separators in ((",", ":"), (", ", ": ")):
        found = read(tmp_path, [json.dumps(each, separators=separators) for each in rows])
        assert len({id(each.schema) for each in found}) == 2
        assert [(each.query, each.ast, each.schema.schema) for each in found] == [
            (each["query"], each["ast_json"], each["schema_json"]) for each in rows
        ]


def test_a_schema_inside_the_ast_is_not_taken_for_the_rows_own(tmp_path: Path):
    schema, text = {"type": "object"}, '{"query":"q","ast_json":{"schema_json":{"type":"object"}},"split":null}'
    lines = [json.dumps({"schema_json": schema, "query": "q", "ast_json": {}}, separators=(",", ":"))] * 2
    first, second = read(tmp_path, lines)
    assert first.schema is second.schema
    (found,) = [each for each in RowReader(GateOptions(0.9)).read([str(_written(tmp_path, [*lines[:1], text])[0])])][1:]
    assert not isinstance(found, GateRow) and found.kind == "missing_field"


def _written(folder: Path, lines: list[str]) -> list[Path]:
    path = folder / "inside.jsonl"
    path.write_text("\n".join(lines))
    return [path]
