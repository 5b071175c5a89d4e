"""Prettified copies for people: outputs/d_0N_*.jsonl -> outputs/pretty/d_0N_*.json, the same rows as one JSON array."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from astudent.jsonl import read_objects


def write_pretty(source: Path, folder: Path) -> Path:
    """Copies the rows of `source` into `folder` unless a newer copy stands there; gives back the copy's path."""
    copy = folder / f"{source.stem}.json"
    if copy.exists() and copy.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return copy
    folder.mkdir(parents=True, exist_ok=True)
    temporary = copy.with_name(f".{copy.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as out:
            out.writelines(_lines(source))
        os.replace(temporary, copy)
    finally:
        temporary.unlink(missing_ok=True)
    return copy


def _lines(source: Path) -> Iterator[str]:
    opening = "[\n"
    for row in read_objects(source):
        yield f"{opening}{_indented(row)}"
        opening = ",\n"
    yield "\n]\n" if opening != "[\n" else "[]\n"


def _indented(row: dict[str, Any]) -> str:
    """One row, a key a line. A schema is spread out in d_02 only: hundreds of requests repeat it."""
    members = (f"    {json.dumps(key)}: {_value(key, value, 'query' in row)}" for key, value in row.items())
    return "  {\n" + ",\n".join(members) + "\n  }"


def _value(key: str, value: Any, is_request: bool) -> str:
    if not isinstance(value, dict | list) or (key == "schema_json" and is_request):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n    ")
