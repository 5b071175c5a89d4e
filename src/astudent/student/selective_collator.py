"""Selective loss around any collator: text or vision, one's own or a library's.

The inner collator makes the batch; what its labels supervise is read back as text, the roles of its JSON are found by
the row's schema, and the tokens that the selection leaves out get the label -100. Nothing of the inner collator is
known here but `input_ids` and `labels` of the same shape.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from astudent.errors import RunError
from astudent.json_texts.extract import values_in
from astudent.roles import GrammarRole, assign_grammar_roles, token_roles
from astudent.roles.selective import TokenWeights
from astudent.student.supervision import ROLE_IDS
from astudent.student.token_text import Span, text_and_offsets

IGNORED = -100
Schema = dict[str, Any] | bool
Features = Sequence[Mapping[str, Any]]


class Supervised(NamedTuple):
    """What each supervised token counts in the loss, and its role, as a place in ROLE_NAMES."""

    weights: list[float]
    role_ids: list[int]


class SelectiveLossCollator:
    """`collator(features)`: the inner collator's batch with labels of what counts alone.

    `schema` is one schema for all rows, or gives the schema of a row; without one (or for text that holds no JSON) keys,
    numbers and punctuation are still told apart, enumerated strings are not. Where a weight is neither 0 nor 1, the
    batch has `loss_weights` (B, L) too, for a trainer that takes them; with `keeps_roles` always, and `role_ids` (B, L),
    places in ROLE_NAMES or -1 where nothing is supervised. `keep_rate` lets tokens that are left out count
    all the same, by a draw that depends on `seed` and on the number of the call alone.
    """

    def __init__(
        self,
        inner: Callable[[Features], Any],
        tokenizer: PreTrainedTokenizerBase,
        weights: TokenWeights,
        schema: Schema | Callable[[Mapping[str, Any]], Schema] = True,
        keep_rate: float = 0.0,
        seed: int = 0,
        *,
        keeps_roles: bool = False,
    ) -> None:
        self.inner, self.tokenizer, self.weights = inner, tokenizer, weights
        self._schema_of = schema if callable(schema) else lambda row: schema
        self.keep_rate, self.keeps_roles = keep_rate, keeps_roles
        added = tokenizer.added_tokens_decoder.items()
        self._control = {*tokenizer.all_special_ids, *(token for token, piece in added if piece.special)}
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, features: Features) -> Any:
        """The inner batch, its `labels` masked. RunError where it has no labels, or nothing is left to learn."""
        batch = self.inner(features)
        if "labels" not in batch or "input_ids" not in batch:
            raise RunError("the inner collator gives no labels", "Take one that gives input_ids and labels.")
        labels: Tensor = batch["labels"]
        weights = torch.zeros(labels.shape, dtype=torch.float32)
        roles = torch.full(labels.shape, -1, dtype=torch.int8)
        for place, row in enumerate(features):
            for start, end in _runs(labels[place]):
                found = self.of_ids(labels[place, start:end].tolist(), self._schema_of(row))
                weights[place, start:end] = torch.tensor(found.weights)
                roles[place, start:end] = torch.tensor(found.role_ids, dtype=torch.int8)
        weights = self._kept(weights, labels != IGNORED)
        batch["labels"] = torch.where(weights.to(labels.device) > 0, labels, IGNORED)
        if not bool((batch["labels"] != IGNORED).any()):
            raise RunError("no token of the batch counts in the loss", "Give END, or another role, a weight above 0.")
        if self.keeps_roles:
            batch["role_ids"] = roles
        if self.keeps_roles or bool(((weights != 0) & (weights != 1)).any()):
            batch["loss_weights"] = weights
        return batch

    def of_ids(self, ids: Sequence[int], schema: Schema) -> Supervised:
        """Weight and role of each of some tokens that follow one another and are supervised."""
        text, offsets = text_and_offsets(self.tokenizer, ids)
        roles = roles_of_answer(text, schema)
        for token, (start, end) in zip(ids, offsets, strict=True):
            if token in self._control:
                roles[start:end] = [GrammarRole.END] * (end - start)
        named = token_roles(roles, offsets)
        return Supervised(self.weights.of_tokens(text, roles, offsets), [ROLE_IDS[role] for role in named])

    def _kept(self, weights: Tensor, supervised: Tensor) -> Tensor:
        if self.keep_rate == 0.0:
            return weights
        drawn = torch.rand(weights.shape, generator=self._generator) < self.keep_rate
        return torch.where(drawn & supervised.cpu() & (weights == 0), 1.0, weights)


def roles_of_answer(text: str, schema: Schema) -> list[GrammarRole]:
    """A role for each character of an answer as a template writes it: of its JSON by the schema, UNKNOWN around it."""
    roles = [GrammarRole.WHITESPACE if letter.isspace() else GrammarRole.UNKNOWN for letter in text]
    for found in values_in(text):
        if found.state == "sound" and not found.inside:
            roles[found.start : found.end] = assign_grammar_roles(text[found.start : found.end], schema)
    return roles


def schema_of_row(row: Mapping[str, Any]) -> Schema:
    """The schema that a row carries as `schema_json`, an object or its text; `True` (anything) without one."""
    schema = row.get("schema_json", True)
    return json.loads(schema) if isinstance(schema, str) else schema


def _runs(labels: Tensor) -> Iterator[Span]:
    """The stretches of a row (L,) that are supervised."""
    marked = (labels != IGNORED).to(torch.int8).tolist()
    edges = [i for i in range(len(marked) + 1) if (marked[i] if i < len(marked) else 0) != (marked[i - 1] if i else 0)]
    return zip(edges[::2], edges[1::2], strict=True)
