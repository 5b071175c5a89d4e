"""What went wrong with an answer, in words that answers share, so that they can be counted and filtered by."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from astudent.evaluation.results import ResultRow
from astudent.language.canonical import canonical
from astudent.language.serialise import parse_ast
from astudent.report.ast_diff import Difference, differences

CONDITIONS = ("where", "and", "or", "not")
KINDS = {"changed": "wrong", "missing": "left out", "added": "too much"}
RIGHT, NO_JSON, INVALID, OTHER = "right", "no JSON", "breaks the schema", "another meaning"
OUTCOMES = (RIGHT, OTHER, INVALID, NO_JSON)
MOST_NAME = 60  # characters of a key's name in a slip


class Examined:
    """One answer beside the known one, both in canonical form where they are ASTs of the query language."""

    def __init__(self, row: ResultRow) -> None:
        self.row = row

    @property
    def is_right(self) -> bool:
        """Passed, by the judge where one was asked, else by execution."""
        return self.row.equivalent if self.row.semantic_pass is None else self.row.semantic_pass

    @property
    def outcome(self) -> str:
        """One of OUTCOMES."""
        if self.is_right:
            return RIGHT
        if not self.row.parsed:
            return NO_JSON
        return OTHER if self.row.schema_valid else INVALID

    @cached_property
    def known(self) -> object:
        """The known answer."""
        return canonical(self.row.ast_json)

    @cached_property
    def answer(self) -> object | None:
        """The student's; None where it did not parse."""
        ast = parse_ast(self.row.text)[0]
        return None if ast is None else canonical(ast)

    @cached_property
    def differences(self) -> list[Difference]:
        """Where both differ; none where the answer did not parse."""
        return [] if self.answer is None else differences(self.known, self.answer)

    @property
    def slips(self) -> Sequence[str]:
        """What went wrong, each once: `operator wrong`, `sort left out`, `cut off`; none of a right answer."""
        return [] if self.is_right else list(dict.fromkeys(self._slips()))

    @property
    def note(self) -> str:
        """Why it is wrong, by whoever found it: the judge, the parser, the schema, or execution."""
        row = self.row
        if self.is_right:
            return row.teacher_reason or ""
        reason = row.teacher_reason or row.parse_error or next(iter(row.schema_errors), "")
        return reason or "another meaning by execution"

    def _slips(self) -> Iterator[str]:
        if self.row.finish == "length":
            yield "cut off"
        if not self.row.parsed:
            yield NO_JSON
        yield from map(slip_of, self.differences)


def slip_of(difference: Difference) -> str:
    """A difference without its place: the nearest key's name, and whether it is wrong, left out or too much."""
    names = [step for step in difference.place if isinstance(step, str)]
    name = names[-1] if names else "answer"
    if name in CONDITIONS:
        name = "condition"
    return f"{name[:MOST_NAME]} {KINDS[difference.kind]}"
