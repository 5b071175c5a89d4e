"""LEADERBOARD.md: evaluated runs side by side. Its rows stand in a JSONL of the same name; the page is made from them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from astudent.jsonl import line_of, read_rows, write_atomic
from astudent.records import Record
from astudent.report import formats
from astudent.report.document import Document, Heading, Paragraph, Table
from astudent.report.markdown import render_markdown
from astudent.report.measured import MeasuredRun, short_hash
from astudent.report.task import words


class Measured(Record):
    """One figure (0 to 1) and its 95% interval; None is unknown."""

    value: float | None
    interval: tuple[float, float] | None


class BoardRow(Record):
    """One evaluated run. `run` is a hash of all that makes it another one: who was asked what, and what came out."""

    run: str
    date: str
    task: str
    split: str
    student: str
    decoding: str | None = None
    base_model: str
    adapter: str | None
    gate: str | None
    dataset: str | None
    rows: int
    figures: dict[str, Measured]
    command: str | None


def board_row(run: MeasuredRun) -> BoardRow:
    """The row of a run."""
    about = run.about
    facts = {
        "task": run.task,
        "split": run.split,
        "student": "base model" if about["adapter"] == "none" else about["adapter"],
        "base_model": about["base_model"],
        "adapter": short_hash(about.get("adapter_sha256") or about.get("served_digest")),
        "gate": about.get("adapter_gate"),
        "dataset": short_hash(about.get("dataset_sha256")),
        "rows": run.summary["samples"],
        "figures": run.figures(),
    }
    way = {"decoding": about.get("decoding")} | ({"beams": beams} if (beams := about.get("beams") or 1) > 1 else {})
    digest = hashlib.sha256(line_of({**facts, **way})).hexdigest()
    facts["decoding"] = formats.decoding(about)
    return BoardRow.model_validate({**facts, "run": digest[:12], "date": run.date(), "command": run.command()})


def add_runs(page: Path, runs: Iterable[MeasuredRun]) -> list[BoardRow]:
    """Adds what the board lacks and writes the page; gives back what was added. RunError for a board that is none."""
    board = page.with_suffix(".jsonl")
    rows = list(read_rows(board, BoardRow)) if board.exists() else []
    known = {row.run for row in rows}
    added = list({row.run: row for row in map(board_row, runs) if row.run not in known}.values())
    write_atomic(board, [*rows, *added])
    write_atomic(page, render_markdown(_document([*rows, *added], board), page.parent))
    return added


def _document(rows: Sequence[BoardRow], board: Path) -> Document:
    document = Document()
    document.add(Heading("Leaderboard", 1))
    document.add(Paragraph(f"Made by astudent leaderboard from {board.name}: what is written here by hand is lost."))
    boards: dict[tuple[str, str, str | None], list[BoardRow]] = defaultdict(list)
    for row in rows:
        boards[row.task, row.split, row.dataset].append(row)
    for (task, split, dataset), members in boards.items():
        document.add(Heading(f"{task}, {split}, data {dataset or formats.UNKNOWN}"), _table(members))
    document.add(Paragraph("In percent, with 95% intervals in brackets. A dash is what no file tells."))
    return document


def _table(rows: Sequence[BoardRow]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    header = ["run", "date", "student", "decoding", "base", "adapter", "gate", "rows", *map(words, names), "command"]
    return Table(header, [_cells(row, names) for row in rows], figures=False)


def _cells(row: BoardRow, names: Sequence[str]) -> list[str]:
    told = [row.run, row.date, row.student, row.decoding, row.base_model, row.adapter, row.gate, str(row.rows)]
    found = [formats.figure(row.figures[name].model_dump() if name in row.figures else None) for name in names]
    return [*(cell or formats.UNKNOWN for cell in told), *found, row.command or formats.UNKNOWN]
