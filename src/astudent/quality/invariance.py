"""Rows against the rules that their schemas declare, and against those that nearly all rows of a schema keep."""

from collections.abc import Iterator
from typing import Any

from astudent.quality.check import Check, GateRow, Place
from astudent.quality.invariants import Finder, Invariants, RuleError, compile_invariants
from astudent.quality.violations import Violation

MAX_FINDERS = 256
"""Schemas whose undeclared rules are looked for, those that come first; each holds some hundred rows in memory."""


class Invariance(Check):
    """Each rule of `x-invariants` that a row breaks, and schemas whose rules cannot be read; as suspicions, relations
    that most rows of a schema keep and few break.

    Those are looked for in rows that break no declared rule, and not in schemas of query languages, whose ASTs hold no
    figures that depend on others.
    """

    def __init__(self) -> None:
        self._finders: dict[int, Finder] = {}
        self._is_partial = False

    def row(self, row: GateRow) -> Iterator[Violation]:
        """The breaches of the row's declared rules."""
        invariants = row.schema.once("invariants", compiled_invariants)
        if isinstance(invariants, RuleError):
            yield row.place.finding(
                "broken_rule", invariants.message, invariants.hint, f"/schema_json{invariants.path}"
            )
        elif row.is_sound:
            breaches = invariants.breaches(row.ast)
            for breach in breaches:
                rule = f"{breach.expected} (rule {breach.rule})"
                yield row.place.finding("broken_invariant", breach.found, rule, breach.path)
            if not breaches and not row.schema.renaming.is_query:
                self._observe(row, invariants)

    def _observe(self, row: GateRow, declared: Invariants) -> None:
        finder = self._finders.get(row.schema.key)
        if finder is None:
            if len(self._finders) >= MAX_FINDERS:
                self._is_partial = True
                return
            finder = self._finders[row.schema.key] = Finder(declared)
        finder.observe(row.place, row.ast)

    def finish(self) -> Iterator[Violation]:
        """Every row that is named with the relation that it breaks."""
        for finder in self._finders.values():
            for finding in finder.findings():
                for place, breach in finding.named:
                    kept = f"{breach.expected}, as {finding.rows - finding.broken} of {finding.rows} rows of the schema"
                    if isinstance(place, Place):
                        yield place.finding("found_invariant", breach.found, kept, breach.path)

    def notes(self) -> Iterator[str]:
        """That schemas were left out."""
        if self._is_partial:
            yield f"Undeclared invariants: looked for in the first {MAX_FINDERS} schemas only."


def compiled_invariants(schema: dict[str, Any]) -> Invariants | RuleError:
    """The schema's rules, or why they cannot be read."""
    try:
        return compile_invariants(schema)
    except RuleError as error:
        return error
