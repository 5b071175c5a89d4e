"""Every answer of every student as the data of a page that filters them: requests once, answers beside them, facets.

A facet is something to filter by; an answer has none, one or several of its values. page.js reads this and no more.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from astudent.evaluation.results import ResultRow
from astudent.report import formats
from astudent.report.document import Block, Explorer, Heading, Paragraph
from astudent.report.marked import MOST_REQUEST, marked_json
from astudent.report.operators import operators_of
from astudent.report.results import BASELINES, SPLIT_WORDS
from astudent.report.runs import EvaluatedRun
from astudent.report.samples import MOST_VALUE, compared
from astudent.report.slips import Examined

MOST_ANSWERS = 20_000
MOST_VALUES = 40  # of one facet, the most frequent; an answer with a rarer one is found by text
Json = dict[str, Any]
Values = Mapping[str, Sequence[str]]
"""facet -> the values that one answer has."""

FACETS: Mapping[str, Callable[[Examined], Sequence[str | None]]] = {
    "result": lambda each: [each.outcome],
    "judge": lambda each: [each.row.teacher_verdict],
    "what went wrong": lambda each: each.slips,
    "split": lambda each: [SPLIT_WORDS[each.row.split]],
    "language": lambda each: [each.row.language],
    "names": lambda each: [each.row.names],
    "operator": lambda each: sorted({name for names in operators_of(each.known).values() for name in names}),
    "grade": lambda each: [each.row.grade],
    "trap": lambda each: [each.row.trap],
}


def explorer(runs: Sequence[EvaluatedRun], student: EvaluatedRun) -> Iterator[Block]:
    """All answers to plain requests; `student` is whose answers stand there first. Baselines are left out."""
    students = [student, *(run for run in runs if run is not student and run.label not in BASELINES)]
    shown = [(run.label, Examined(row)) for run in students for row in run.rows if row.kind == "plain"]
    yield Heading("All answers")
    told = f"{len(shown):,} answers" if len(shown) <= MOST_ANSWERS else f"{MOST_ANSWERS:,} of {len(shown):,} answers"
    yield Paragraph(
        f"{told} of {formats.listed([run.label for run in students])}; report.html filters and searches them."
    )
    yield Explorer("Find answers", explored(shown[:MOST_ANSWERS]))


def explored(shown: Sequence[tuple[str, Examined]]) -> Json:
    """The data of (student, answer) pairs. `answers` name their request, and their values of each facet, by number."""
    values = list(_values(shown))
    facets = {name: _most_frequent(name, values) for name in (values[0] if values else ()) if _parts(name, values)}
    requests = {each.row.query_id: each for _, each in reversed(shown)}
    places = {query_id: number for number, query_id in enumerate(requests)}
    answers = [
        {**_answer(each), "request": places[each.row.query_id], "facets": _numbers(facets, has)}
        for (_, each), has in zip(shown, values, strict=True)
    ]
    return {
        "facets": [{"name": name, "values": found} for name, found in facets.items()],
        "requests": [_request(each.row) for each in requests.values()],
        "answers": answers,
    }


def _values(shown: Sequence[tuple[str, Examined]]) -> Iterator[Values]:
    """`other students` says what became of the same request in the other students' hands."""
    passed: dict[str, dict[str, bool]] = {}
    for label, each in shown:
        passed.setdefault(each.row.query_id, {})[label] = each.is_right
    for label, each in shown:
        others = passed[each.row.query_id].items()
        beside = [f"{other} {'right' if is_right else 'wrong'}" for other, is_right in others if other != label]
        own = {name: [formats.cut(value, MOST_VALUE) for value in read(each) if value] for name, read in FACETS.items()}
        yield {"student": [label], **own, "other students": beside}


def _parts(name: str, values: Sequence[Values]) -> bool:
    """Whether a facet tells answers apart."""
    return any(has[name] != values[0][name] for has in values)


def _most_frequent(name: str, values: Sequence[Values]) -> list[str]:
    """A facet's values; students in their order, all others by how often they come."""
    counts = Counter(value for has in values for value in has[name])
    return list(counts) if name == "student" else [value for value, _ in counts.most_common(MOST_VALUES)]


def _numbers(facets: Mapping[str, list[str]], has: Values) -> list[list[int]]:
    return [[found.index(value) for value in has[name] if value in found] for name, found in facets.items()]


def _request(row: ResultRow) -> Json:
    return {
        "id": formats.cut(row.query_id, MOST_VALUE),
        "schema": formats.cut(row.schema_id, MOST_VALUE),
        "text": formats.cut(row.query, MOST_REQUEST),
    }


def _answer(each: Examined) -> Json:
    """A right answer is told by the known one alone."""
    row = each.row
    told: Json = {
        "right": each.is_right,
        "title": "; ".join(each.slips) or each.outcome,
        "note": formats.cut(each.note, MOST_VALUE),
        "f1": round(row.field_f1, 3),
        "cost": f"{row.completion_tokens} tokens, {formats.duration(row.latency_seconds)}",
    }
    if each.is_right:
        return {**told, "known": marked_json(each.known, ())}
    found = compared(each)
    return {
        **told, "asked": found.request, "known": found.known, "answer": found.answer, "differences": found.differences
    }  # fmt: skip
