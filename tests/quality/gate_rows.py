"""Rows for the tests of the gate, written to files as it reads them."""

import json
from pathlib import Path
from typing import Any

from astudent.quality.check import GateOptions
from astudent.quality.gate import run_gate
from astudent.quality.violations import GateReport

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"limit": {"type": "integer", "minimum": 1}, "sort": {"type": "string"}},
    "additionalProperties": False,
}
OTHER: dict[str, Any] = SCHEMA | {"maxProperties": 5}


def row(row_id: str, query: str, ast: Any, **changes: Any) -> dict[str, Any]:
    """A row of split train, in English."""
    fields = {"query_id": row_id, "language": "en", "schema_json": SCHEMA, "query": query, "ast_json": ast}
    return fields | {"is_valid": True, "split": "train"} | changes


def write(path: Path, rows: list[Any]) -> Path:
    """The rows, those that are texts as they are."""
    lines = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", errors="surrogatepass")
    return path


def gated(folder: Path, rows: list[Any], **options: Any) -> GateReport:
    """What the gate says of the rows, in rows.jsonl."""
    given: dict[str, Any] = {"near_duplicate_similarity": 0.9} | options
    return run_gate([write(folder / "rows.jsonl", rows)], GateOptions(**given))
