"""What answers are asked by: prompts as tokens, those of one schema with the prefix that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from astudent.student.constrain import SchemaGrammar
from astudent.student.decoding import Store
from astudent.student.load import Student


@dataclass
class Schema:
    """What so many requests of one schema share: the first tokens of their prompts, and those tokens' keys and values as
    long as a request is `waiting` for them."""

    prefix: list[int]
    requests: int
    waiting: int
    store: Store | None = None


@dataclass(frozen=True)
class Request:
    """One prompt. `own` are its tokens after its schema's prefix."""

    text: str
    schema: Schema
    own: list[int]
    grammar: SchemaGrammar | None

    @property
    def ids(self) -> list[int]:
        """All tokens of the prompt."""
        return self.schema.prefix + self.own

    @property
    def compiling(self) -> float:
        """Its share (s) of the time that its schema's grammar took."""
        return self.grammar.seconds / self.schema.requests if self.grammar else 0.0


def requests_of(student: Student, texts: Sequence[str], grammar: SchemaGrammar | None) -> list[Request]:
    """The requests of one schema."""
    if not texts:
        return []
    prompts: list[list[int]] = student.tokenizer(list(texts), add_special_tokens=False)["input_ids"]  # pyright: ignore
    shared = common_prefix(prompts)
    schema = Schema(prompts[0][:shared], len(prompts), waiting=len(prompts))
    return [Request(text, schema, ids[shared:], grammar) for text, ids in zip(texts, prompts, strict=True)]


def common_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest common prefix that leaves each prompt a token of its own."""
    limit = min(map(len, prompts)) - 1
    for at in range(limit):
        if any(ids[at] != prompts[0][at] for ids in prompts):
            return at
    return limit
