"""Constrained decoding: at each step only tokens that keep the answer valid under its schema (llguidance)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from astudent.errors import RunError
from astudent.language.enforcement import grammar_of
from astudent.student.prompt import chat_format

_TOKENIZERS: WeakKeyDictionary[PreTrainedTokenizerBase, dict[int, Any]] = WeakKeyDictionary()
_BITS = torch.arange(32, dtype=torch.int32)


class SchemaGrammar:
    """One schema, compiled for one tokenizer in `seconds`. RunError for a schema that has no grammar.

    Keywords that cannot be enforced are left out; `language.enforcement` names them.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, schema: dict[str, Any], embedding_rows: int) -> None:
        # llguidance wants its vocabulary at least as large as the tokenizer's; models often have more rows than that.
        self.vocabulary = max(len(tokenizer), embedding_rows)
        self._inner = _inner_tokenizer(tokenizer, self.vocabulary)
        started = time.monotonic()
        self._grammar = grammar_of(schema)
        self._beginning = LLMatcher(self._inner, self._grammar, log_level=0)
        problem = self._beginning.get_error()
        if problem:
            reason = problem.strip().splitlines()[0][:160]
            raise RunError(f"the schema cannot be enforced: {reason}", "Decode it freely, or change the schema.")
        self.seconds = time.monotonic() - started

    def matcher(self) -> LLMatcher:
        """The state of one answer. A copy: to compile the grammar again would take milliseconds, of a large one seconds."""
        return self._beginning.deep_copy()


class Constraint:
    """The answers of one batch, each under its own schema's grammar and in a state of its own."""

    def __init__(self) -> None:
        self.grammars: list[SchemaGrammar] = []
        self.matchers: list[LLMatcher] = []

    def mask(self, logits: Tensor) -> Tensor:
        """Logits (B, V) with every token that may not come next at -inf."""
        bits = allocate_token_bitmask(len(self.matchers), self.grammars[0].vocabulary)
        for row, matcher in enumerate(self.matchers):
            fill_next_token_bitmask(matcher, bits, row)
        allowed = (
            ((torch.from_numpy(bits)[:, :, None] >> _BITS) & 1)
            .reshape(len(self.matchers), -1)[:, : logits.shape[1]]
            .bool()
        )
        return logits.masked_fill(~allowed.to(logits.device), float("-inf"))

    def advance(self, tokens: list[int]) -> None:
        """Each answer's next token."""
        for matcher, token in zip(self.matchers, tokens, strict=True):
            if not matcher.is_stopped():
                matcher.consume_token(token)

    def add(self, grammars: Sequence[SchemaGrammar]) -> None:
        """New answers, at their beginning, after the others."""
        self.grammars += grammars
        self.matchers += [grammar.matcher() for grammar in grammars]

    def keep(self, rows: list[int]) -> None:
        """Drops all answers but these; one that is named again goes on in several ways, each from a copy of its state."""
        self.grammars = [self.grammars[row] for row in rows]
        first = {row: at for at, row in reversed(list(enumerate(rows)))}
        self.matchers = [
            self.matchers[row] if first[row] == at else self.matchers[row].deep_copy() for at, row in enumerate(rows)
        ]


def _inner_tokenizer(tokenizer: PreTrainedTokenizerBase, vocabulary: int) -> Any:
    known = _TOKENIZERS.setdefault(tokenizer, {})
    if vocabulary not in known:
        stops = list(chat_format(tokenizer).stop_ids)
        known[vocabulary] = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=stops)  # pyright: ignore
    return known[vocabulary]
