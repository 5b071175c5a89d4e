"""The part of the report that shows single answers: what goes wrong, the most instructive slips, and the worst answers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from astudent.evaluation.results import ResultRow
from astudent.language.serialise import dumps
from astudent.report import formats
from astudent.report.ast_diff import Difference
from astudent.report.document import Block, Compared, Heading, Paragraph, Table
from astudent.report.marked import bounded, marked_json, marked_request
from astudent.report.results import SPLIT_WORDS
from astudent.report.runs import EvaluatedRun
from astudent.report.slips import Examined

SHOWN_SAMPLES = 5
SHOWN_SLIPS = 12
NEAR = 0.5  # field F1 from which a wrong but valid answer is a near miss
MOST_VALUE = 160  # characters of one value in the table of differences
MOST_DIFFERENCES = 40
ABSENT = "(nothing)"


def samples(student: EvaluatedRun, runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """What went wrong how often; near misses, one of each kind of slip; what a later run lost; the worst answers."""
    split = student.splits[0]
    wrong = [each for each in map(Examined, student.of(split)) if not each.is_right]
    where = f"({student.label}, {SPLIT_WORDS[split]})"
    yield from _slip_counts(wrong, where)
    near = list(_one_of_each_slip(wrong))[:SHOWN_SAMPLES]
    worst = sorted(
        (each for each in wrong if each not in near), key=lambda each: (each.row.field_f1, each.row.query_id)
    )
    yield from _section(f"Near misses, one of each kind {where}", near)
    for run in runs:
        if run.label == "DPO":
            yield from _section(f"Right before DPO, wrong after it ({SPLIT_WORDS[split]})", _lost(student, run, split))
    yield from _section(f"Worst answers {where}", worst[:SHOWN_SAMPLES])


def compared(each: Examined) -> Compared:
    """The answer against the known one, with every text cut to a length that can be read."""
    found = each.differences
    known = marked_json(each.known, {each.known_at for each in found if each.known_at is not None})
    answer = marked_json(each.answer, {each.answer_at for each in found if each.answer_at is not None})
    return Compared(
        request=marked_request(each.row.query, each.known, found),
        known=known,
        answer=bounded([(each.row.text, False)]) if each.answer is None else answer,
        differences=[_cells(difference) for difference in found[:MOST_DIFFERENCES]],
    )


def _cells(found: Difference) -> tuple[str, str, str]:
    known = ABSENT if found.known_at is None else dumps(found.known)
    answer = ABSENT if found.answer_at is None else dumps(found.answer)
    return formats.cut(found.path, MOST_VALUE), formats.cut(known, MOST_VALUE), formats.cut(answer, MOST_VALUE)


def _slip_counts(wrong: Sequence[Examined], where: str) -> Iterator[Block]:
    counts = Counter(slip for each in wrong for slip in each.slips)
    if not counts:
        return
    yield Heading(f"What goes wrong {where}")
    rows = [[slip, str(count), f"{count / len(wrong):.0%}"] for slip, count in counts.most_common(SHOWN_SLIPS)]
    yield Table(["slip", "wrong answers with it", "share of the wrong"], rows)
    yield Paragraph(f"{len(wrong)} wrong answers; one of them may slip in several ways. Both ASTs in canonical form.")


def _one_of_each_slip(wrong: Iterable[Examined]) -> Iterator[Examined]:
    """Valid answers that are nearly right: for each slip, the most frequent first, the one with the highest field F1."""
    near = [each for each in wrong if each.row.schema_valid and each.row.field_f1 >= NEAR]
    near.sort(key=lambda each: (-each.row.field_f1, len(each.slips), each.row.query_id))
    counts = Counter(slip for each in near for slip in each.slips)
    taken: set[str] = set()
    for slip, _ in counts.most_common():
        first = next((each for each in near if slip in each.slips and each.row.query_id not in taken), None)
        if first is not None:
            taken.add(first.row.query_id)
            yield first


def _lost(before: EvaluatedRun, after: EvaluatedRun, split: str) -> list[Examined]:
    right = {row.query_id for row in before.of(split) if Examined(row).is_right}
    lost = (Examined(row) for row in after.of(split) if row.query_id in right)
    return [each for each in lost if not each.is_right][:SHOWN_SAMPLES]


def _section(title: str, shown: Sequence[Examined]) -> Iterator[Block]:
    if not shown:
        return
    yield Heading(title)
    for each in shown:
        yield Heading(_title(each.row), 3)
        yield compared(each)
        yield Paragraph(f"{'; '.join(each.slips) or each.outcome}. {formats.cut(each.note, MOST_VALUE)}")


def _title(row: ResultRow) -> str:
    name = formats.cut(row.query_id, MOST_VALUE)
    return f"{name} ({row.language}, {row.names} names, field F1 {row.field_f1:.2f})"
