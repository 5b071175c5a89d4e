"""Answers: a schema's prefix is computed once, requests of several schemas are decoded in one batch against their prefixes.

Requests that wait take the places of answers that end, so that a batch stays nearly full until none waits. Greedy, sampled or
by beam search, free or under the schema's grammar. A sampled answer depends on the seed and its own prompt alone, never on
what else is in the batch. Architectures that packs are not known for take transformers' own `generate`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from astudent.generation import Generation, requests_at_once
from astudent.student.attention import PackLayout, ready_mask
from astudent.student.choosing import DROP_SHARE, Asked, BeamSearch, OneByOne, Row
from astudent.student.constrain import Constraint, SchemaGrammar
from astudent.student.decoding import PrefixRecorder, SharedPrefixDecoder, Store
from astudent.student.load import Student
from astudent.student.loss import base_of
from astudent.student.prompt import chat_format
from astudent.student.request_reader import RequestReader
from astudent.student.requests import Request, Schema, requests_of


@dataclass(frozen=True)
class Answer:
    """One answer. `ids` are its tokens, the end of turn too; `truncated` says that it has no end: max_new_tokens cut it off.

    `seconds` adds up, over the steps that went on with it, its rows' share of the step's time; to it comes its share of
    compiling its schema's grammar.
    """

    text: str
    ids: tuple[int, ...]
    prompt_tokens: int
    truncated: bool
    seconds: float

    @property
    def tokens(self) -> int:
        """How many tokens it has, the end of turn included."""
        return len(self.ids)


def generate(
    student: Student,
    prompts: Mapping[str, Sequence[str]],
    how: Generation,
    *,
    schemas: Mapping[str, dict[str, Any]] | None = None,
    batch_size: int = 32,
    plain: bool = False,
) -> Iterator[Answer]:
    """Answers rendered prompts, given by schema id, in their order and each as soon as it and all before it have ended.

    `batch_size` rows are decoded at once: so many requests, or as many as have room with all their beams, one at least.
    `schemas` (by the same ids) makes decoding constrained: RunError for one that cannot be enforced. `plain` takes
    transformers' own generate, one prompt at a time.
    """
    embedding_rows = student.model.get_input_embeddings().weight.shape[0]
    grammars = {
        schema_id: SchemaGrammar(student.tokenizer, schema, embedding_rows)
        for schema_id, schema in (schemas or {}).items()
        if schema_id in prompts
    }
    asked = [
        request
        for schema_id, texts in prompts.items()
        for request in requests_of(student, texts, grammars.get(schema_id) if schemas is not None else None)
    ]
    was_training = student.model.training
    student.model.eval()
    try:
        if plain or not student.decodes_packed:
            yield from (_plain(student, request, how) for request in asked)
        else:
            yield from _shared(student, asked, how, batch_size)
    finally:
        student.model.train(was_training)


def _shared(student: Student, asked: Sequence[Request], how: Generation, batch_size: int) -> Iterator[Answer]:
    """Decodes `batch_size` rows at once against the prefixes of their schemas."""
    batch = Batch(student, how)
    most = requests_at_once(batch_size, how)
    ended: dict[int, Answer] = {}
    admitted = given = 0
    while given < len(asked):
        if admitted < len(asked) and most - batch.size >= DROP_SHARE * most:
            more = range(admitted, min(len(asked), admitted + most - batch.size))
            batch.admit({place: asked[place] for place in more})
            admitted = more.stop
        ended |= batch.step()
        while given in ended:
            yield ended.pop(given)
            given += 1


class Batch:
    """The rows that are decoded together; each knows its request's place in the order that was asked."""

    def __init__(self, student: Student, how: Generation) -> None:
        self.student = student
        self.trunk = base_of(student.model).get_decoder()
        stops = set(chat_format(student.tokenizer).stop_ids)
        self.choosing = (BeamSearch if how.beams > 1 else OneByOne)(how, stops)
        self.decoder: SharedPrefixDecoder | None = None
        self.last = torch.empty(0)  # (B, H): the last state of each row
        self.slots = torch.empty(0, dtype=torch.long)  # (B,): where its next token stands

    @property
    def rows(self) -> list[Row]:
        """What is decoded together, in the order of the states."""
        return self.choosing.rows

    @property
    def size(self) -> int:
        """Requests in the batch, those that ended and have not left yet included."""
        return self.choosing.size

    @torch.no_grad()
    def admit(self, requests: Mapping[int, Request]) -> None:
        """Computes the prompts of new requests, those of a schema side by side, and takes them in."""
        started = time.monotonic()
        new = list(requests.values())
        stores, lengths = [], []
        for _, group in groupby(new, key=lambda request: id(request.schema)):
            of_schema = list(group)
            stores.append(self._store(of_schema[0].schema, len(of_schema)))
            lengths.append([len(request.own) for request in of_schema])
        reader = RequestReader(stores, lengths, self.student.device)
        ids = torch.tensor([[token for request in new for token in request.own]], device=self.student.device)
        last = _forward(self.trunk, ids, reader.positions, reader)[0, reader.last]
        decoder = reader.decoder()
        if self.decoder is None:
            self.decoder, self.last, self.slots = decoder, last, reader.lengths
        else:
            self.decoder.join(decoder)
            self.last, self.slots = torch.cat([self.last, last]), torch.cat([self.slots, reader.lengths])
        share = (time.monotonic() - started) / len(new)
        self.choosing.add([Asked(place, request, share + request.compiling) for place, request in requests.items()])

    def _store(self, schema: Schema, count: int) -> Store:
        """The prefix's keys and values for `count` of the schema's requests, computed once."""
        store = schema.store
        if store is None:
            recorder = PrefixRecorder(PackLayout.alone(len(schema.prefix)).to(self.student.device))
            ids = torch.tensor([schema.prefix], device=self.student.device)
            _forward(self.trunk, ids, torch.arange(ids.shape[1], device=ids.device)[None], recorder)
            store = recorder.store
        schema.waiting -= count
        schema.store = store if schema.waiting else None
        return store

    @torch.no_grad()
    def step(self) -> dict[int, Answer]:
        """One token for each row; the answers that are complete with it, by their places in the order."""
        assert self.decoder is not None
        started = time.monotonic()
        move = self.choosing.advance(_next_logits(self.student, self.last))
        if move.parents is not None:
            self._keep(move.parents)
        if self.rows:
            self.decoder.place(self.slots[:, None])
            ids = torch.tensor(move.tokens, device=self.slots.device)[:, None]
            hidden = _forward(self.trunk, ids, (self.slots + self.decoder.prefixes)[:, None], self.decoder)
            self.last, self.slots = hidden[:, 0], self.slots + 1
        share = (time.monotonic() - started) / max(1, len(self.rows))
        for row in self.rows:
            row.asked.seconds += share
        return {row.asked.place: _answer(self.student, row) for row in move.answers}

    def _keep(self, rows: list[int]) -> None:
        assert self.decoder is not None
        if not rows:
            self.decoder = None
            return
        kept = torch.tensor(rows, device=self.slots.device)
        self.decoder.keep(kept)
        self.slots = self.slots[kept]


def _forward(trunk: Any, ids: Tensor, places: Tensor, layout: Any) -> Tensor:
    """Hidden states (B, Q, H) of tokens (B, Q) at positions (B, Q)."""
    mask = ready_mask().to(ids.device)
    return trunk(
        input_ids=ids, position_ids=places, attention_mask=mask, use_cache=False, layout=layout
    ).last_hidden_state


def _next_logits(student: Student, hidden: Tensor) -> Tensor:
    """Logits (B, V) of the next token in full precision."""
    base = base_of(student.model)
    logits = base.get_output_embeddings()(hidden)
    logits = logits if logits.dtype == torch.float64 else logits.float()
    softcap = getattr(base.config, "final_logit_softcapping", None)
    return logits if softcap is None else torch.tanh(logits / softcap) * softcap


@torch.no_grad()
def _plain(student: Student, request: Request, how: Generation) -> Answer:
    """transformers' own generate: for other architectures, and as what `_shared` is held to."""
    from transformers import GenerationConfig

    started = time.monotonic()
    stops = list(chat_format(student.tokenizer).stop_ids)
    asked = Asked(0, request, request.compiling)
    prompt = torch.tensor([request.ids], device=student.device)
    is_beam = how.beams > 1
    processors = [_Allowed(request)] if is_beam else [_Chosen(asked, OneByOne(how, set(stops)))]
    out = student.model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        generation_config=GenerationConfig(
            max_new_tokens=how.max_new_tokens,
            do_sample=False,
            num_beams=how.beams,
            length_penalty=0.0 if is_beam else None,
            pad_token_id=student.pad_id,
            eos_token_id=stops,
        ),
        logits_processor=processors,
    )
    asked.seconds += time.monotonic() - started
    return _answer(student, Row(asked, out[0, len(request.ids) :].tolist()))


class _Chosen:
    """A logits processor that leaves the chosen token only, so that both ways of decoding choose alike."""

    def __init__(self, asked: Asked, choosing: OneByOne) -> None:
        self.choosing = choosing
        choosing.add([asked])

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        token = self.choosing.choose(scores)[0]
        only = torch.full_like(scores, float("-inf"))
        only[:, token] = 0.0
        return only


class _Allowed:
    """A logits processor that takes away what the grammar forbids after each beam's tokens; it is not told which beam went on from which."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        grammar = self.request.grammar
        if grammar is None:
            return scores
        constraint = Constraint()
        constraint.add([grammar] * len(ids))
        for tokens in ids[:, len(self.request.ids) :].t().tolist():
            constraint.advance(tokens)
        return constraint.mask(scores)


def _answer(student: Student, row: Row) -> Answer:
    ended = bool(row.tokens) and row.tokens[-1] in chat_format(student.tokenizer).stop_ids
    words = row.tokens[:-1] if ended else row.tokens
    text = student.tokenizer.decode(words, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Answer(str(text), tuple(row.tokens), len(row.asked.request.ids), not ended, row.asked.seconds)
