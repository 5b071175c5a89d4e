"""What a check of the gate is, what it sees of a row, and what the gate is asked to do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from astudent.quality.row_schema import RowSchema
from astudent.quality.violations import Kind, Violation, shortened


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: its file, its line (from 1) and its id (`-` where it has none)."""

    file: str
    line: int
    id: str = "-"

    @property
    def named(self) -> str:
        """`FILE:LINE (row ID)`."""
        return f"{self.file}:{self.line} (row {self.id})"

    def finding(self, kind: Kind, found: str, expected: str, path: str = "") -> Violation:
        """A violation or suspicion at this place."""
        return Violation(
            file=self.file,
            line=self.line,
            id=self.id,
            kind=kind,
            path=shortened(path),
            found=shortened(found),
            expected=shortened(expected),
        )


@dataclass(frozen=True, slots=True)
class GateRow:
    """A row whose fields can be read and whose schema can be used. `number` counts all rows of all files, from 0.

    `side` is what `split` trains or is kept for (train, align, val, test; None without a split). `is_sound`: a row to
    learn from or to be measured by, valid under its schema; other rows are not compared with each other.
    """

    number: int
    place: Place
    schema: RowSchema
    query: str
    ast: dict[str, Any]
    split: str | None
    side: str | None
    language: str | None
    is_valid: bool
    positive_id: str | None
    is_sound: bool


class Check:
    """One kind of check: sees every row once, in order, and may say more when all have been seen."""

    def row(self, row: GateRow) -> Iterable[Violation]:
        """What is wrong with this row."""
        return ()

    def finish(self) -> Iterable[Violation]:
        """What is wrong between the rows."""
        return ()

    def notes(self) -> Iterable[str]:
        """What was not checked, at the end."""
        return ()


@dataclass(frozen=True)
class GateOptions:
    """What the gate is asked for.

    - `schema`: of rows that carry none.
    - `split_by_file`: each file is a split by its name, whatever the rows say.
    - `grounded`: the text must support the values (extraction tasks).
    - `apart`: no two sides share a request or an AST, which rows of the embedded languages promise.
    - `needs_training`: rows of split `train` must be there.
    - `max_tokens`: what a row may be long; `schema_text` is the schema as the prompt shows it.
    - `near_duplicate_similarity`: 0 to 1, Jaccard of runs of three words.
    """

    near_duplicate_similarity: float
    schema: dict[str, Any] | None = None
    split_by_file: bool = False
    grounded: bool = False
    apart: bool = False
    needs_training: bool = False
    max_tokens: int | None = None
    schema_text: Callable[[dict[str, Any]], str] | None = None
