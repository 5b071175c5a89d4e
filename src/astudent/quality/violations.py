"""What the gate found: one record per violation, and the report that holds them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from astudent.records import Record

Kind = Literal[
    "not_json",
    "missing_field",
    "wrong_type",
    "broken_schema",
    "broken_rule",
    "invalid_positive",
    "valid_negative",
    "orphan_negative",
    "broken_invariant",
    "ungrounded",
    "wrong_language",
    "over_long",
    "duplicate_id",
    "duplicate",
    "label_conflict",
    "leak",
    "renamed_leak",
    "request_leak",
    "ast_leak",
    "schema_leak",
    "no_training_rows",
    "near_duplicate",
    "found_invariant",
    "distribution_gap",
    "perhaps_over_long",
]
SUSPICIONS = frozenset({"near_duplicate", "found_invariant", "distribution_gap", "perhaps_over_long"})
"""Kinds of what may be a fault; they fail nothing."""

MAX_NAMED = 20_000
"""Findings of one kind that are named. One that named a million rows would help nobody; the counts are always complete."""
MAX_TEXT = 300


class Violation(Record):
    """One fault, with where it stands. `line` counts from 1 (0: the whole file); `path` is a JSON pointer into the AST,
    or into the row where a field of the row itself is at fault."""

    file: str
    line: int
    id: str
    kind: Kind
    path: str = ""
    found: str
    expected: str

    @property
    def is_suspicion(self) -> bool:
        """Whether it fails nothing."""
        return self.kind in SUSPICIONS

    def one_line(self) -> str:
        """`FILE:LINE: ID: KIND at PATH: found …, expected …` for a terminal."""
        place = f" at {self.path}" if self.path else ""
        return f"{self.file}:{self.line}: {self.id}: {self.kind}{place}: {self.found}; expected {self.expected}"


def shortened(text: str) -> str:
    """At most MAX_TEXT characters of it, for `found` and `expected`; no half of a surrogate pair."""
    short = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return short.encode("utf-8", "replace").decode("utf-8")


@dataclass
class GateReport:
    """The gate's verdict: `pass` only when no row violates anything."""

    file: str
    rows: int = 0
    named: list[Violation] = field(default_factory=list)
    suspicions: list[Violation] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, finding: Violation) -> None:
        """Counts a violation or suspicion, and keeps it while fewer than MAX_NAMED of its kind are kept."""
        self.by_kind[finding.kind] += 1
        if self.by_kind[finding.kind] <= MAX_NAMED:
            (self.suspicions if finding.is_suspicion else self.named).append(finding)

    def count(self, facts: Mapping[str, str]) -> None:
        """Adds one row to the count of each of its facts (`split`, `language`, …)."""
        for name, value in facts.items():
            self.counts.setdefault(name, Counter())[value] += 1

    def sort(self) -> None:
        """Puts what was named in the order of the files and lines."""
        for findings in (self.named, self.suspicions):
            findings.sort(key=lambda finding: (finding.file, finding.line))

    @property
    def total(self) -> int:
        """Number of violations, those that are not named included."""
        return sum(count for kind, count in self.by_kind.items() if kind not in SUSPICIONS)

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`fail` when anything was violated."""
        return "fail" if self.total else "pass"

    def as_json(self) -> dict[str, Any]:
        """The report as `astudent gate --json` writes it."""
        counted = sorted(self.by_kind.items())
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "violation_counts": {kind: count for kind, count in counted if kind not in SUSPICIONS},
            "violations": [violation.model_dump() for violation in self.named],
            "suspicion_counts": {kind: count for kind, count in counted if kind in SUSPICIONS},
            "suspicions": [suspicion.model_dump() for suspicion in self.suspicions],
            "counts": {name: dict(sorted(counter.items())) for name, counter in sorted(self.counts.items())},
            "notes": self.notes,
        }
