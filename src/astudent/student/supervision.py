"""From texts to token rows: which tokens are learned, what each is for, and how much it counts.

Prompt and completion are tokenised apart and joined, so that the very same tokens are seen in training, evaluation,
preference tuning and a served model. Every supervised token carries a grammar role and a weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from astudent.errors import RunError
from astudent.roles import GrammarRole, assign_grammar_roles, token_roles
from astudent.roles.selective import EVEN, TokenWeights
from astudent.student.prompt import chat_format, render

ROLE_NAMES: tuple[str, ...] = tuple(role.value for role in GrammarRole)
"""Role ids are positions in this tuple."""
ROLE_IDS = {role: index for index, role in enumerate(GrammarRole)}


@dataclass(frozen=True)
class Source:
    """One row before tokenisation. `content` is the prompt's content, or None where `prompt_text` is rendered already."""

    row_id: str
    schema_id: str
    schema_json: dict[str, Any]
    completion: str
    content: str | None = None
    prompt_text: str | None = None
    is_repair: bool = False


@dataclass(frozen=True)
class Encoded:
    """A row in tokens: L ids, of which the last C = L - prompt_length are supervised.

    `roles` (C,) are ids into ROLE_NAMES, `weights` (C,) what each token counts in the loss.
    """

    row_id: str
    schema_id: str
    input_ids: NDArray[np.int32]
    prompt_length: int
    roles: NDArray[np.int8]
    weights: NDArray[np.float32]
    is_repair: bool = False

    def __len__(self) -> int:
        return len(self.input_ids)

    def as_saved(self) -> dict[str, Any]:
        """What a report of a fault holds of the row."""
        return {"row_id": self.row_id, "schema_id": self.schema_id, "input_ids": self.input_ids.tolist()}

    @property
    def labels(self) -> NDArray[np.int32]:
        """(L,): the id where a token is supervised, -100 elsewhere."""
        labels = self.input_ids.copy()
        labels[: self.prompt_length] = -100
        return labels


def encode_row(
    tokenizer: PreTrainedTokenizerBase,
    prompt_text: str,
    completion: str,
    schema: dict[str, Any],
    weights: TokenWeights = EVEN,
) -> Encoded:
    """One row in tokens, from a rendered prompt."""
    source = Source("row", "schema", schema, completion, prompt_text=prompt_text)
    return encode_rows(tokenizer, [source], weights, max_length=None)[0]


def encode_rows(
    tokenizer: PreTrainedTokenizerBase,
    sources: Sequence[Source],
    weights: TokenWeights,
    max_length: int | None,
) -> list[Encoded]:
    """All rows in tokens, in order. RunError names rows longer than `max_length` tokens: nothing is ever cut."""
    if not sources:
        return []
    end = chat_format(tokenizer).end_of_turn
    texts = [s.prompt_text if s.prompt_text is not None else render(tokenizer, s.content or "") for s in sources]
    prompts = tokenizer(texts, add_special_tokens=False)["input_ids"]
    answers = tokenizer([s.completion for s in sources], add_special_tokens=False, return_offsets_mapping=True)
    columns = zip(sources, prompts, answers["input_ids"], answers["offset_mapping"], strict=True)
    rows = [_join(source, prompt, answer, offsets, end, weights) for source, prompt, answer, offsets in columns]
    _refuse_long(rows, max_length)
    return rows


def _join(
    source: Source,
    prompt: list[int],
    answer: list[int],
    offsets: list[tuple[int, int]],
    end: int,
    weights: TokenWeights,
) -> Encoded:
    if not prompt:
        raise RunError(f"row {source.row_id}: its prompt has no token", "Make the corpus again.")
    characters = assign_grammar_roles(source.completion, source.schema_json, lenient=True)
    offsets = [*offsets, (0, 0)]
    named = token_roles(characters, offsets)
    roles = np.fromiter((ROLE_IDS[role] for role in named), dtype=np.int8, count=len(named))
    counts = np.array(weights.of_tokens(source.completion, characters, offsets), dtype=np.float32)
    ids = np.array([*prompt, *answer, end], dtype=np.int32)
    return Encoded(source.row_id, source.schema_id, ids, len(prompt), roles, counts, source.is_repair)


def _refuse_long(rows: Iterable[Encoded], max_length: int | None) -> None:
    long = [row for row in rows if max_length is not None and len(row) > max_length]
    if long:
        named = ", ".join(f"{row.row_id} ({len(row)})" for row in long[:5])
        more = f" and {len(long) - 5} more" if len(long) > 5 else ""
        raise RunError(
            f"{len(long)} rows are longer than {max_length} tokens: {named}{more}",
            "Raise max_seq_length, or leave these rows out of the corpus.",
        )
