"""What every teacher can do: propose a domain, write requests, answer one with an AST, judge an AST."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from astudent.records import DomainPrompt, DomainSpec, MadeBy, QueryRow, SchemaRow
from astudent.teacher.verdicts import JudgeVerdict

__all__ = ["AnswerOutcome", "JudgeVerdict", "Source", "Teacher", "TeacherFailure"]

Source = Literal["example", "generated", "topup"]


class TeacherFailure(Exception):
    """The teacher could not do what was asked; `raw` is its reply as it came. Recorded, never a rejection."""

    def __init__(self, problem: str, raw: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.raw = raw


@dataclass(frozen=True)
class AnswerOutcome:
    """An AST that is valid under the schema, or (`ast` None) the `error`; `raw` is the reply as it came.

    `agreement` is the share (0 to 1) of several samples that mean the same; None where one was asked for.
    """

    ast: dict[str, Any] | None
    error: str | None = None
    raw: str | None = None
    agreement: float | None = None


class Teacher(Protocol):
    """A large model, or the embedded teacher that needs none."""

    @property
    def identity(self) -> MadeBy:
        """Who makes the rows: provider, model, digest and seed."""
        ...

    @property
    def ahead(self) -> int:
        """How many questions it is good to have asked and not yet read."""
        ...

    def prepare(self, schemas: Iterable[dict[str, Any]]) -> None:
        """Told the schemas of all that will be asked, before the first question under one."""
        ...

    async def propose(self, prompt: DomainPrompt, variant: int, examples: int) -> DomainSpec:
        """A table for a domain, with `examples` requests; TeacherFailure when there is none."""
        ...

    async def write_queries(self, schema: SchemaRow, start: int, count: int) -> list[QueryRow]:
        """Requests number `start` to `start + count - 1` of a schema, languages in turn; TeacherFailure when none."""
        ...

    async def answer(self, schema_json: dict[str, Any], query: QueryRow) -> AnswerOutcome:
        """The AST that a request asks for."""
        ...

    async def judge(
        self,
        schema_json: dict[str, Any],
        query: str,
        known_ast: dict[str, Any] | None,
        student_ast: dict[str, Any] | None,
    ) -> JudgeVerdict:
        """Whether a student's AST means what the request asks; `known_ast` is the data set's answer, if any."""
        ...

    async def unload(self) -> None:
        """Frees what the teacher holds, so that another model can have the GPU."""
        ...

    async def end(self) -> None:
        """The last thing asked of it."""
        ...
