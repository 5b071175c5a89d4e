"""The part of the report that shows single answers: near misses, and the worst."""

from collections.abc import Iterator

from astudent.evaluation.results import ResultRow
from astudent.report.document import Block, Code, Heading, Paragraph
from astudent.report.results import SPLIT_WORDS
from astudent.report.runs import EvaluatedRun

SHOWN_SAMPLES = 5
NEAR = 0.5  # field F1 from which a wrong but valid answer is a near miss
MOST_CHARACTERS = 1500  # of one text of a sample; the whole is in the result rows


def samples(student: EvaluatedRun) -> Iterator[Block]:
    """Near misses (one slip from right) and the worst answers, each against the known one."""
    wrong = [row for row in student.rows if row.kind == "plain" and row.split == student.splits[0] and not _right(row)]
    if not wrong:
        return
    close = [row for row in wrong if row.schema_valid and row.field_f1 >= NEAR]
    near = sorted(close, key=lambda row: (-row.field_f1, row.query_id))[:SHOWN_SAMPLES]
    worst = sorted((row for row in wrong if row not in near), key=lambda row: (row.field_f1, row.query_id))
    for title, chosen in (("Near misses", near), ("Worst answers", worst[:SHOWN_SAMPLES])):
        if chosen:
            yield Heading(f"{title} ({student.label}, {SPLIT_WORDS[student.splits[0]]})")
            for row in chosen:
                yield from _sample(row)


def _sample(row: ResultRow) -> Iterator[Block]:
    yield Heading(f"{row.query_id} ({row.language}, {row.names} names, field F1 {row.field_f1:.2f})", 3)
    yield Paragraph(cut(row.query))
    answer = row.student_canonical if row.student_canonical is not None else row.text
    yield Code(f"known   {cut(row.teacher_canonical)}\nstudent {cut(answer)}")
    reason = row.teacher_reason or row.parse_error or next(iter(row.schema_errors), "another meaning by execution")
    yield Paragraph(cut(reason))


def _right(row: ResultRow) -> bool:
    return row.equivalent if row.semantic_pass is None else row.semantic_pass


def cut(text: str) -> str:
    """The beginning of a text that is too long to be read, and how long it is."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} … ({len(text)} characters)"
