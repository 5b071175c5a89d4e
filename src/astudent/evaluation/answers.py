"""Phase one: every answer of the student goes to disk before anybody judges it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from astudent.evaluation.results import AnswerRow
from astudent.evaluation.samples import Sample
from astudent.jsonl import RowWriter, read_rows

WAVE = 4
"""Batches that the student is asked for at once."""


@dataclass(frozen=True)
class Answer:
    """What a student gave for one sample. Lengths in tokens, `latency_seconds` the sample's share of its batches' time."""

    prompt_text: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    finish: Literal["stop", "length"]
    latency_seconds: float


class Student(Protocol):
    """Whatever answers samples; those of the same schema stand side by side."""

    def answer(self, samples: Sequence[Sample]) -> Iterable[Answer]:
        """One answer for each sample, in order."""
        ...

    def facts(self) -> dict[str, Any]:
        """What a run that asked this student keeps about how it answered."""
        ...


def waves(samples: Sequence[Sample], size: int) -> Iterator[list[Sample]]:
    """At most `size` samples each, those of a schema side by side, schemas in order of first appearance."""
    by_schema: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_schema[sample.row.schema_id].append(sample)
    ordered = [sample for group in by_schema.values() for sample in group]
    yield from (ordered[start : start + size] for start in range(0, len(ordered), size))


def read_answers(path: Path) -> dict[str, AnswerRow]:
    """Answers on disk by `query_id`; a half-written last line is cut off."""
    return {row.query_id: row for row in read_rows(path, AnswerRow, repair=True)} if path.exists() else {}


def write_answers(samples: Sequence[Sample], student: Student, path: Path, batch_size: int) -> int:
    """Appends the answers that `path` lacks and returns how many those were.

    The student is asked for `WAVE` batches at once, so that its batches stay full. A wave that a kill cut in two is asked
    again as a whole: a resumed run meets the same batches as a run that nobody stopped; answers on disk already are kept.
    """
    done, written = read_answers(path), 0
    with RowWriter(path) as writer:
        for wave in waves(samples, WAVE * batch_size):
            if all(sample.query_id in done for sample in wave):
                continue
            for sample, answer in zip(wave, student.answer(wave), strict=True):
                if sample.query_id not in done:
                    writer.append(_row(sample, answer))
                    written += 1
    return written


def _row(sample: Sample, answer: Answer) -> AnswerRow:
    return AnswerRow(
        query_id=sample.query_id,
        kind=sample.kind,
        prompt_text=answer.prompt_text,
        text=answer.text,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        finish=answer.finish,
        latency_seconds=answer.latency_seconds,
    )
