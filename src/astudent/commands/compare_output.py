"""What `astudent compare` prints and writes."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astudent.commands.output import safe
from astudent.errors import RunError
from astudent.json_texts.tables import table
from astudent.jsonl import write_atomic
from astudent.report.document import Block, Bullets, Heading, Paragraph, Table
from astudent.side_by_side.page import document

STDOUT = "-"


def write_comparison(found: Mapping[str, Any], json_file: str | None, html: Path | None, fail_when_worse: bool) -> None:
    """The tables, and the files. RunError when a run is worse than the reference and that was to fail."""
    page = document(found)
    if json_file == STDOUT:
        print(json.dumps(found, ensure_ascii=sys.stdout.isatty(), allow_nan=False, indent=2))
    else:
        print("\n\n".join(map(_as_text, page.blocks)))
    if json_file not in (None, STDOUT):
        write_atomic(json_file, json.dumps(found, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    if html is not None:
        from astudent.report.html import render_html

        write_atomic(html, render_html(page))
    if fail_when_worse and (worse := _worse(found)):
        raise RunError(f"worse than {found['reference']}: {', '.join(worse)}")


def _worse(found: Mapping[str, Any]) -> list[str]:
    pairs = ((split, pair) for split, figures in found["splits"].items() for pair in figures["pairs"])
    return [f"{pair['after']} on {split}" for split, pair in pairs if pair["verdict"] == "worse"]


def _as_text(block: Block) -> str:
    match block:
        case Table(header, rows, _):
            return table(header, rows)
        case Bullets(items):
            return "\n".join(safe(f"- {item}") for item in items)
        case Heading(text, _) | Paragraph(text, _):
            return safe(text)
        case _:
            raise TypeError(f"{type(block).__name__} in a comparison")
