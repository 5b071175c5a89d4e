"""What a student said, and whether it is what may be handed on: an AST that is valid under its schema."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from astudent.language.serialise import parse_ast, serialise
from astudent.language.validation import validator_for

CUT = "the answer was cut off at its greatest length (--max-new-tokens), or broken off"


@dataclass(frozen=True)
class Reply:
    """A student's words. Lengths in tokens (0 where a server broke off and said none), `seconds` that it took; `truncated`: it
    was cut or broken off, not ended."""

    text: str
    prompt_tokens: int
    tokens: int
    truncated: bool
    seconds: float


Answering = Callable[[str], Reply]
"""A request -> the reply to it."""


@dataclass(frozen=True)
class Checked:
    """`ast` in canonical spelling, valid under the schema; or None, and why (`problems`, `path: reason`)."""

    ast: str | None
    problems: tuple[str, ...] = ()


def checked(reply: Reply, schema: dict[str, Any]) -> Checked:
    """The reply's AST, where it has one that the schema accepts, whatever forced it to."""
    ast, fault = parse_ast(reply.text)
    cut = (CUT,) if reply.truncated else ()
    if ast is None:
        return Checked(None, (*cut, fault or ""))
    problems = validator_for(schema).problems(ast)
    return Checked(None, (*cut, *problems)) if problems else Checked(serialise(ast, schema))
