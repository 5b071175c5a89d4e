"""What the gate says of rows taken together: invariants, grounding, distributions."""

from pathlib import Path
from typing import Any

import pytest
from gate_rows import gated

from astudent.quality.violations import Violation

SUM: dict[str, Any] = {
    "type": "object",
    "properties": {**{key: {"type": "number"} for key in ("net", "tax", "total")}, "colour": {"enum": ["red", "blue"]}},
    "x-invariants": ["total == net + tax"],
}


def bill(number: int, **changes: Any) -> dict[str, Any]:
    net, tax = 100 + 17 * number % 1009, (7 * number) % 83 + 1
    ast = {"net": net + 0.25, "tax": tax + 0.5, "total": net + tax + 0.75, "colour": "red"} | changes
    query = f"A bill of {ast['net']} and {ast['tax']} tax, together {ast['total']}, number {number}"
    return {"id": f"b{number}", "schema_json": SUM, "query": query, "ast_json": ast}


def places(found: list[Violation]) -> list[tuple[str, str, str]]:
    return [(each.id, each.kind, each.path) for each in found]


def test_a_declared_invariant_one_cent_off(tmp_path: Path):
    rows = [bill(1), bill(2, total=bill(2)["ast_json"]["total"] + 0.01), bill(3)]
    (found,) = gated(tmp_path, rows).named
    assert (found.id, found.kind) == ("b2", "broken_invariant") and "net + tax" in found.expected


def test_a_rule_that_cannot_be_read(tmp_path: Path):
    row = bill(1) | {"schema_json": SUM | {"x-invariants": ["total === 1"]}}
    assert places(gated(tmp_path, [row]).named) == [("b1", "broken_rule", "/schema_json/x-invariants/0")]


def test_a_relation_that_nobody_declared_is_a_suspicion(tmp_path: Path):
    undeclared = {key: value for key, value in SUM.items() if key != "x-invariants"}
    rows = [bill(number) | {"schema_json": undeclared} for number in range(200)]
    rows[150]["ast_json"]["total"] += 0.01
    report = gated(tmp_path, rows)
    assert report.verdict == "pass"
    assert [(each.id, each.kind) for each in report.suspicions] == [("b150", "found_invariant")]


def test_values_that_the_text_does_not_state(tmp_path: Path):
    row = bill(1)
    row["ast_json"]["net"], row["ast_json"]["tax"] = row["ast_json"]["net"] + 5000, row["ast_json"]["tax"] - 5000
    assert {each.kind for each in gated(tmp_path, [row], grounded=True).named} == {"ungrounded"}
    assert gated(tmp_path, [row]).total == 0


def test_what_was_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("astudent.quality.invariance.MAX_FINDERS", 1)
    monkeypatch.setattr("astudent.quality.distribution.MAX_FACTS", 1)
    rows = [
        bill(number) | {"split": "train", "schema_json": SUM | {"maxProperties": 9 + number}} for number in range(2)
    ]
    assert [note.split(":")[0] for note in gated(tmp_path, rows).notes] == ["Undeclared invariants", "Distributions"]


def test_a_distribution_gap_is_a_suspicion_of_the_whole_data_set(tmp_path: Path):
    rows = [bill(number, colour="red" if number % 10 else "blue") | {"split": "train"} for number in range(400)]
    rows += [bill(1000 + number, colour="blue" if number % 10 else "red") | {"split": "test"} for number in range(300)]
    gaps = [each for each in gated(tmp_path, rows).suspicions if each.kind == "distribution_gap"]
    assert {(each.line, each.path) for each in gaps} == {(0, "/colour")} and len(gaps) == 2
    alike = [each | {"split": "test" if number % 3 else "train"} for number, each in enumerate(rows)]
    assert not [each for each in gated(tmp_path, alike).suspicions if each.kind == "distribution_gap"]
