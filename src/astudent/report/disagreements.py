"""The part of the report that lists what judge and execution do not agree on, for reading."""

from collections.abc import Iterator

from astudent.evaluation.agreement import DISAGREEMENTS, disagreed
from astudent.evaluation.results import ResultRow
from astudent.report.document import Block, Heading, Paragraph
from astudent.report.formats import cut
from astudent.report.runs import EvaluatedRun
from astudent.report.samples import compared
from astudent.report.slips import Examined

SHOWN = 5
MOST_REASON = 500  # characters of what the judge said
WORDS = {
    "accept_different": "Accepted by the judge, of another meaning by execution",
    "reject_equivalent": "Rejected by the judge, of the same meaning by execution",
}


def disagreements(student: EvaluatedRun) -> Iterator[Block]:
    """The first of each kind; the others are named in the summary. Nothing where the two always agree."""
    rows = [row for row in student.rows if row.kind == "plain"]
    for name in DISAGREEMENTS:
        found = disagreed(rows, name)
        if found:
            yield Heading(f"{WORDS[name]}: {len(found)}, of which the first {min(SHOWN, len(found))}", 3)
            for row in found[:SHOWN]:
                yield from _shown(row)


def _shown(row: ResultRow) -> Iterator[Block]:
    yield compared(Examined(row))
    yield Paragraph(cut(f"{row.query_id}, the judge: {row.teacher_reason or 'no reason given'}", MOST_REASON))
