"""Rows against their schemas: a positive fits, a negative breaks it and belongs to a positive."""

from collections.abc import Iterator

from astudent.errors import RunError
from astudent.language.explanations import pointer_and_reason
from astudent.language.validation import MAX_PROBLEMS
from astudent.quality.check import Check, GateRow
from astudent.quality.violations import Violation


class Validity(Check):
    """One violation for each of a positive's errors, at most MAX_PROBLEMS."""

    def row(self, row: GateRow) -> Iterator[Violation]:
        """The errors of a positive, or that a negative has none."""
        if row.is_sound:
            return
        try:
            errors = row.schema.validator.errors(row.ast)[:MAX_PROBLEMS]
        except RunError as error:
            yield row.place.finding("invalid_positive", error.message, "an AST that can be checked")
            return
        if not row.is_valid:
            if not errors:
                yield row.place.finding("valid_negative", "an AST that fits the schema", "a broken one")
            return
        for error in errors:
            pointer, reason = pointer_and_reason(error)
            yield row.place.finding("invalid_positive", reason, "an AST that fits its schema", pointer)
