"""The journal of stage 04: every answer of the teacher, on disk as soon as it came, so that none is asked for twice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from astudent.in_order import in_order
from astudent.jsonl import RowWriter, read_rows
from astudent.progress import Tally
from astudent.records import MadeBy, QueryRow, Record, SchemaRow
from astudent.stages.failures import MAX_KEPT_REPLY
from astudent.teacher.protocol import Teacher


class AnswerRow(Record):
    """d_04_dataset.answers.jsonl: a valid AST, or why there is none (`error`) with the reply as it came.

    `agreement` is the share of the teacher's samples that meant the AST, where several were asked for.
    """

    query_id: str
    ast_json: dict[str, Any] | None
    error: str | None
    raw: str | None
    agreement: float | None = None
    made_by: MadeBy


def answered_ids(path: Path) -> set[str]:
    """The requests that a journal holds."""
    return {row.query_id for row in read_rows(path, AnswerRow)} if path.exists() else set()


class AnswerBook:
    """Asks the teacher for each request once and remembers; what is remembered survives a kill.

    A request to which no reply came at all (a server that hung) is asked again by the next call of the stage.

    A teacher's ASTs are valid under their schema (its protocol says so, and the gate of stage 05 makes sure).
    """

    def __init__(self, path: Path, teacher: Teacher) -> None:
        self.teacher = teacher
        rows = list(read_rows(path, AnswerRow, repair=True)) if path.exists() else []
        self._answers = {row.query_id: row for row in rows if row.ast_json is not None or row.raw}
        self._writer = RowWriter(path)

    def known(self, query_id: str) -> AnswerRow | None:
        """The answer to a request that has been asked."""
        return self._answers.get(query_id)

    async def ask(self, title: str, queries: Sequence[tuple[SchemaRow, QueryRow]]) -> None:
        """Asks all of them; each answer is in the journal before the next is taken."""
        with Tally(title, len(queries)) as progress:
            async for row in in_order(progress.counted(self._ask), queries, self.teacher.ahead):
                self._writer.append(row)
                self._answers[row.query_id] = row

    def failures(self) -> list[AnswerRow]:
        """All answers that cannot be used."""
        return [row for row in self._answers.values() if row.ast_json is None]

    async def _ask(self, asked: tuple[SchemaRow, QueryRow]) -> AnswerRow:
        schema, query = asked
        outcome = await self.teacher.answer(schema.schema_json, query)
        raw = None if outcome.ast is not None else (outcome.raw or "")[:MAX_KEPT_REPLY]
        return AnswerRow(
            query_id=query.query_id,
            ast_json=outcome.ast,
            error=outcome.error,
            raw=raw,
            agreement=outcome.agreement,
            made_by=self.teacher.identity,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
