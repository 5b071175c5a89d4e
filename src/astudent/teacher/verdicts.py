"""Verdicts on a student's AST: accept, reject or error. What cannot be judged is an error, never a rejection."""

from dataclasses import dataclass
from typing import Any, Literal

from astudent.errors import AstudentError
from astudent.language.equivalence import equivalent
from astudent.language.validation import validator_for


@dataclass(frozen=True)
class JudgeVerdict:
    """`reason` says in one line what decided."""

    verdict: Literal["accept", "reject", "error"]
    reason: str


def verdict_by_equivalence(
    schema_json: dict[str, Any], known_ast: dict[str, Any], student_ast: dict[str, Any] | None
) -> JudgeVerdict:
    """Accepts an AST that is valid under the schema and means the same as the known one."""
    if student_ast is None:
        return JudgeVerdict("error", "the answer could not be parsed")
    problems = validator_for(schema_json).problems(student_ast)
    if problems:
        return JudgeVerdict("reject", f"breaks the schema: {problems[0]}")
    try:
        same = equivalent(known_ast, student_ast, schema_json)
    except AstudentError as error:
        return JudgeVerdict("error", f"could not be compared: {error.message}")
    if same.equal:
        return JudgeVerdict("accept", f"same meaning by {same.by}")
    return JudgeVerdict("reject", f"another meaning by {same.by}: {same.detail}")
