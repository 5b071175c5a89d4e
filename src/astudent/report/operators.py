"""Which operator a student writes where another one is known: a confusion matrix over the conditions of known answers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from astudent.evaluation.facts import facts
from astudent.report.document import Block, Heading, Paragraph, Table
from astudent.report.formats import UNKNOWN, cut
from astudent.report.results import SPLIT_WORDS
from astudent.report.runs import EvaluatedRun
from astudent.report.slips import Examined

NO_CONDITION, NO_JSON = "none", "no JSON"
MOST_OPERATORS = 14  # rows and columns of the matrix; the rest share one
REST = "others"
MOST_NAME = 40
Confusion = Counter[tuple[str, str]]
"""(known operator, the student's) -> conditions."""


def operators_of(ast: Any) -> dict[str, Counter[str]]:
    """field -> operators of the conditions on it, with repetitions; empty for what is no AST of the query language."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for fact in facts(ast) if isinstance(ast, dict) else ():
        if fact[0] == "operator" and len(fact) == 3:
            found[fact[1]][cut(fact[2].strip('"'), MOST_NAME)] += 1
    return found


def confusion(examined: Iterable[Examined]) -> Confusion:
    """Pairs the conditions on one field: first those with the same operator, then one by one."""
    counted: Confusion = Counter()
    for each in examined:
        answered = None if each.answer is None else operators_of(each.answer)
        for field, known in operators_of(each.known).items():
            counted.update(_pairs(known, None if answered is None else answered.get(field, Counter())))
    return counted


def _pairs(known: Counter[str], answered: Counter[str] | None) -> Iterator[tuple[str, str]]:
    if answered is None:
        yield from ((operator, NO_JSON) for operator in known.elements())
        return
    yield from ((operator, operator) for operator in (known & answered).elements())
    left, others = list((known - answered).elements()), list((answered - known).elements())
    for place, operator in enumerate(left):
        yield operator, others[place] if place < len(others) else NO_CONDITION


def operator_confusion(student: EvaluatedRun) -> Iterator[Block]:
    """The matrix of the student on its first split; nothing where known answers have no operators."""
    split = student.splits[0]
    counted = confusion(Examined(row) for row in student.of(split))
    if not counted:
        return
    folded = _folded(counted)
    known, answered = _axes(folded)
    yield Heading(f"Operators, known against answered ({student.label}, {SPLIT_WORDS[split]})")
    yield _matrix(folded, known, answered)
    yield Paragraph(
        "Down: the operator of a condition of the known answer. Across: what the student wrote on the same field, as "
        "counts; none where it has no condition there. Conditions on one field are paired by operator first."
    )


def _matrix(counted: Confusion, known: Sequence[str], answered: Sequence[str]) -> Table:
    """Counts, with the share of each known operator that was answered."""
    rows: list[list[str]] = []
    for name in known:
        counts = [counted[name, other] for other in answered]
        right = UNKNOWN if name == REST else f"{counted[name, name] / sum(counts):.0%}"
        rows.append([name, right, *map(str, counts)])
    return Table(["known \\ answered", "right", *answered], rows, shaded=True)


def _folded(counted: Confusion) -> Confusion:
    """The rarest operators as one."""
    totals: Counter[str] = Counter()
    for (known, _), count in counted.items():
        totals[known] += count
    kept = {name for name, _ in totals.most_common(MOST_OPERATORS)} | {NO_CONDITION, NO_JSON}
    folded: Confusion = Counter()
    for (known, answered), count in counted.items():
        other = answered if answered in kept else REST
        folded[known if known in kept else REST, other] += count
    return folded


def _axes(counted: Confusion) -> tuple[list[str], list[str]]:
    """Known operators by how often they come; across the same, then those that are never known, then none and no JSON."""
    totals: Counter[str] = Counter()
    for (known, _), count in counted.items():
        totals[known] += count
    rows = [name for name, _ in totals.most_common()]
    last = (REST, NO_CONDITION, NO_JSON)
    across = dict.fromkeys([name for name in rows if name != REST])
    seen = {answered for _, answered in counted}
    return rows, [*across, *(name for name in last if name in seen or name in rows)]
