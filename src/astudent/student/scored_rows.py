"""Examples -> token rows to be scored: chat turns as in training, and raw text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from astudent.errors import RunError
from astudent.role_losses.examples import Example
from astudent.roles.selective import EVEN
from astudent.student.supervision import Encoded, Source, encode_rows


def encode_examples(tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]) -> list[Encoded]:
    """One row for each example, in order; prompt and target are tokenised apart.

    A raw text starts with what the tokenizer puts before any text (a BOS, or nothing), once, and its end of turn is not
    scored. RunError names an example of which no token would be scored.
    """
    opening = _opening(tokenizer)
    rows = encode_rows(tokenizer, [_source(example) for example in examples], EVEN, None)
    rows = [row if e.is_chat else _as_raw_text(row, opening) for row, e in zip(rows, examples, strict=True)]
    for row in rows:
        if not len(row.roles):
            raise RunError(f"{row.row_id}: the tokenizer makes no token of its target", "Leave that row out.")
    return rows


def refuse_unfit(rows: Sequence[Encoded], model: Any, name: str) -> None:
    """RunError for rows longer than the model's window, or with tokens that it does not have."""
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    vocabulary = model.get_input_embeddings().weight.shape[0]
    for row in rows:
        if window is not None and len(row) > window:
            where = f"{row.row_id}: {len(row)} tokens, and {name} reads {window}"
            raise RunError(where, "Leave that row out, or shorten its prompt.")
        if row.input_ids.max() >= vocabulary:
            raise RunError(f"{row.row_id}: {name} has no token {row.input_ids.max()}", "Take its own tokenizer.")


def _source(example: Example) -> Source:
    schema: Any = example.schema  # `true` and `false` are schemas too
    content, raw = (example.prompt, None) if example.is_chat else (None, example.prompt)
    return Source(example.where, example.schema_id, schema, example.target, content=content, prompt_text=raw)


def _opening(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that the tokenizer puts before a text."""
    whole: Any = tokenizer("a")["input_ids"]
    bare: Any = tokenizer("a", add_special_tokens=False)["input_ids"]
    return next(whole[:at] for at in range(len(whole)) if whole[at : at + len(bare)] == bare)


def _as_raw_text(row: Encoded, opening: list[int]) -> Encoded:
    """Without the end of turn, and behind the opening unless the text itself begins with it."""
    added = [] if row.input_ids[: len(opening)].tolist() == opening else opening
    ids = np.concatenate([np.array(added, dtype=np.int32), row.input_ids[:-1]])
    return replace(
        row,
        input_ids=ids,
        prompt_length=row.prompt_length + len(added),
        roles=row.roles[:-1],
        weights=row.weights[:-1],
    )
