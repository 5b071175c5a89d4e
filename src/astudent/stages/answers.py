"""The journal of stage 04: every answer of the teacher, on disk as soon as it came, so that none is asked for twice."""

from pathlib import Path
from typing import Any, Self

from astudent.jsonl import RowWriter, read_rows
from astudent.records import MadeBy, QueryRow, Record, SchemaRow
from astudent.teacher.protocol import Teacher

# A model that runs on without end may reply with megabytes; the first part says what went wrong.
MAX_KEPT_REPLY = 4000


class AnswerRow(Record):
    """d_04_dataset.answers.jsonl: a valid AST, or why there is none (`error`) with the reply as it came."""

    query_id: str
    ast_json: dict[str, Any] | None
    error: str | None
    raw: str | None
    made_by: MadeBy


class AnswerBook:
    """Asks the teacher for each request once and remembers; what is remembered survives a kill.

    A teacher's ASTs are valid under their schema (its protocol says so, and the gate of stage 05 makes sure).
    """

    def __init__(self, path: Path, teacher: Teacher) -> None:
        self.teacher = teacher
        self._answers = {row.query_id: row for row in read_rows(path, AnswerRow, repair=True)} if path.exists() else {}
        self._writer = RowWriter(path)

    def answer(self, schema: SchemaRow, query: QueryRow) -> AnswerRow:
        """The answer to a request, from the journal or from the teacher."""
        known = self._answers.get(query.query_id)
        if known is not None:
            return known
        row = self._ask(schema, query)
        self._writer.append(row)
        self._answers[query.query_id] = row
        return row

    def failures(self) -> list[AnswerRow]:
        """All answers that cannot be used."""
        return [row for row in self._answers.values() if row.ast_json is None]

    def _ask(self, schema: SchemaRow, query: QueryRow) -> AnswerRow:
        outcome = self.teacher.answer(schema.schema_json, query)
        raw = None if outcome.ast is not None else (outcome.raw or "")[:MAX_KEPT_REPLY]
        return AnswerRow(
            query_id=query.query_id,
            ast_json=outcome.ast,
            error=outcome.error,
            raw=raw,
            made_by=self.teacher.identity,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
