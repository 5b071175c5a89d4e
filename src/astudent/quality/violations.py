"""What the gate found: one record per violation, and the report that holds them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from astudent.records import Record

Kind = Literal[
    "broken_schema",
    "invalid_positive",
    "valid_negative",
    "orphan_negative",
    "duplicate_id",
    "duplicate",
    "label_conflict",
    "request_leak",
    "ast_leak",
    "schema_leak",
    "no_training_rows",
    "near_duplicate",
]

# A report that named a million rows would help nobody and fill the memory; the counts are always complete.
MAX_NAMED = 1000


class Violation(Record):
    """One fault, with where it stands. `line` counts from 1; `path` points into the AST where that makes sense."""

    file: str
    line: int
    id: str
    kind: Kind
    path: str = ""
    found: str
    expected: str

    def one_line(self) -> str:
        """`FILE:LINE: ID: KIND: found …, expected …` for a terminal."""
        return f"{self.file}:{self.line}: {self.id}: {self.kind}: {self.found}; expected {self.expected}"


@dataclass
class GateReport:
    """The gate's verdict on a file: `pass` only when no row violates anything."""

    file: str
    rows: int = 0
    named: list[Violation] = field(default_factory=list)
    suspicions: list[Violation] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, violation: Violation) -> None:
        """Counts the violation, and keeps it while fewer than MAX_NAMED are kept."""
        self.by_kind[violation.kind] += 1
        if len(self.named) < MAX_NAMED:
            self.named.append(violation)

    def suspect(self, violation: Violation) -> None:
        """Keeps what may be a fault and fails nothing, while fewer than MAX_NAMED are kept."""
        if len(self.suspicions) < MAX_NAMED:
            self.suspicions.append(violation)

    def count(self, facts: Mapping[str, str]) -> None:
        """Adds one row to the count of each of its facts (`split`, `language`, …)."""
        for name, value in facts.items():
            self.counts.setdefault(name, Counter())[value] += 1

    @property
    def total(self) -> int:
        """Number of violations, those beyond MAX_NAMED included."""
        return self.by_kind.total()

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`fail` when anything was violated."""
        return "fail" if self.total else "pass"

    def as_json(self) -> dict[str, Any]:
        """The report as `astudent gate --json` writes it."""
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "violation_counts": dict(sorted(self.by_kind.items())),
            "violations": [violation.model_dump() for violation in self.named],
            "suspicions": [suspicion.model_dump() for suspicion in self.suspicions],
            "counts": {name: dict(sorted(counter.items())) for name, counter in sorted(self.counts.items())},
        }
