"""The corpus as the trainers see it: read, checked, split into training and validation rows, tokenised."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from astudent.errors import RunError
from astudent.jsonl import read_rows
from astudent.records import CorpusRow
from astudent.student.supervision import Source


def read_corpus(path: Path, max_samples: int | None) -> list[CorpusRow]:
    """The corpus's rows. RunError when it has none."""
    rows = list(read_rows(path, CorpusRow))
    if not rows:
        raise RunError(f"{path}: the corpus has no rows", "Run stage 05 again, with --fresh.")
    return rows[:max_samples]


def split_rows(rows: Sequence[CorpusRow], share: float, seed: int) -> tuple[list[CorpusRow], list[CorpusRow]]:
    """(training, validation) rows. A repair row goes where its request's plain row goes, whatever else is in the corpus."""
    validation = {_key(row) for row in rows if _draw(row, seed) < share}
    if share > 0 and not any(row.kind == "plain" and _key(row) in validation for row in rows):
        plain = [row for row in rows if row.kind == "plain"]
        validation |= {_key(min(plain, key=lambda row: _draw(row, seed)))} if len(plain) > 1 else set()
    training = [row for row in rows if _key(row) not in validation]
    if not training:
        raise RunError("no row is left to train on", "Lower training.val_split, or make more data.")
    return training, [row for row in rows if _key(row) in validation]


def validation_sample(rows: Sequence[CorpusRow], limit: int | None, seed: int) -> list[CorpusRow]:
    """At most `limit` plain rows, and a quarter as many repair rows, the same for every run with this seed."""
    ordered = sorted(rows, key=lambda row: (_draw(row, seed), row.query_id))
    plain = [row for row in ordered if row.kind == "plain"][:limit]
    repair = [row for row in ordered if row.kind == "repair"][: None if limit is None else limit // 4]
    return plain + repair


def as_sources(rows: Sequence[CorpusRow]) -> list[Source]:
    """Rows as supervision takes them."""
    return [
        Source(r.query_id, r.schema_id, r.schema_json, r.completion, content=r.prompt, is_repair=r.kind == "repair")
        for r in rows
    ]


def _key(row: CorpusRow) -> tuple[str, str]:
    return row.schema_id, row.query


def _draw(row: CorpusRow, seed: int) -> float:
    """A number in [0, 1) that depends on the seed, the schema and the request alone."""
    return draw(seed, row.schema_id, row.query)


def draw(seed: int, *names: str) -> float:
    """A number in [0, 1) that depends on the seed and the names alone."""
    return int.from_bytes(hashlib.sha256("/".join((str(seed), *names)).encode()).digest()[:8]) / 2**64
