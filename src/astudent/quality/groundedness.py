"""Rows against their texts: what an extraction made up. For tasks whose JSON says what the text says."""

from collections.abc import Iterator

from astudent.quality.check import Check, GateRow
from astudent.quality.grounding import Grounding
from astudent.quality.invariance import compiled_invariants
from astudent.quality.invariants import RuleError
from astudent.quality.violations import Violation


class Groundedness(Check):
    """Each value that the row's text does not support."""

    def row(self, row: GateRow) -> Iterator[Violation]:
        """The row's ungrounded values; those of a schema whose rules cannot be read are not judged."""
        if not row.is_sound or isinstance(row.schema.once("invariants", compiled_invariants), RuleError):
            return
        grounding = row.schema.once("grounding", Grounding)
        for breach in grounding.ungrounded(row.ast, row.query, row.language or "en"):
            yield row.place.finding("ungrounded", breach.found, breach.expected, breach.path)
