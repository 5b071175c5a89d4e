"""What a teacher could not do in stages 01 and 03, with its replies: `<output>.failures.jsonl`.

A stage that goes on tries them again, and replies that were paid for come from the cache; so the file is begun anew.
"""

from pathlib import Path
from typing import Self

from astudent.jsonl import RowWriter
from astudent.records import Record
from astudent.teacher.protocol import TeacherFailure

# A model that runs on without end may reply with megabytes; the first part says what went wrong.
MAX_KEPT_REPLY = 4000


class FailureRow(Record):
    """What was asked for (`job`), why it failed, and the last reply as it came."""

    job: str
    problem: str
    raw: str | None


class FailureLog:
    """The failures of one call of a stage."""

    def __init__(self, output: Path) -> None:
        self.path = output.with_suffix(".failures.jsonl")
        self.path.unlink(missing_ok=True)
        self._writer: RowWriter | None = None

    def add(self, job: str, failure: TeacherFailure) -> None:
        """Records one."""
        self._writer = self._writer or RowWriter(self.path)
        self._writer.append(FailureRow(job=job, problem=failure.problem, raw=(failure.raw or "")[:MAX_KEPT_REPLY]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
