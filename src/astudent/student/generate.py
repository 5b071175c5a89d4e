"""Answers: a schema's prefix is computed once, requests of several schemas are decoded in one batch against their prefixes.

Requests that wait take the places of answers that end, so that a batch stays full until none waits. Greedy or sampled, free or under the schema's grammar. A sampled answer depends on the seed and its own prompt alone,
never on what else is in the batch. Architectures that packs are not known for take transformers' own `generate`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from astudent.student.attention import PackLayout, ready_mask
from astudent.student.constrain import Constraint, SchemaGrammar
from astudent.student.decoding import PrefixRecorder, SharedPrefixDecoder, Store
from astudent.student.load import Student
from astudent.student.loss import base_of
from astudent.student.prompt import chat_format
from astudent.student.request_reader import RequestReader

DROP_SHARE = 0.25
"""Rows that ended leave the batch, and others come in, when they are at least this share of it."""


@dataclass(frozen=True)
class Answer:
    """One answer. `ids` are its tokens, the end of turn too; `truncated` says that max_new_tokens cut it off.

    `seconds` adds up, over the steps that it took part in, the step's time divided by the rows of the batch; to it comes
    its share of compiling its schema's grammar.
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


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen: greedy at temperature 0."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


def generate(
    student: Student,
    prompts: Mapping[str, Sequence[str]],
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    schemas: Mapping[str, dict[str, Any]] | None = None,
    batch_size: int = 32,
    plain: bool = False,
) -> Iterator[Answer]:
    """Answers rendered prompts, given by schema id, in their order and each as soon as it and all before it have ended.

    `batch_size` rows are decoded at once. `schemas` (by the same ids) makes decoding constrained: RunError for one that
    cannot be enforced. `plain` takes transformers' own generate, one prompt at a time.
    """
    sampling = Sampling(temperature, top_p, seed)
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
            yield from (_plain(student, request, max_new_tokens, sampling) for request in asked)
        else:
            yield from _shared(student, asked, max_new_tokens, sampling, batch_size)
    finally:
        student.model.train(was_training)


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


def _shared(
    student: Student, asked: Sequence[Request], limit: int, sampling: Sampling, batch_size: int
) -> Iterator[Answer]:
    """Decodes `batch_size` requests at once against the prefixes of their schemas."""
    batch = Batch(student, limit, sampling)
    ended: dict[int, Answer] = {}
    admitted = given = 0
    while given < len(asked):
        if admitted < len(asked) and batch.size < batch_size:
            more = range(admitted, min(len(asked), admitted + batch_size - batch.size))
            batch.admit({place: asked[place] for place in more})
            admitted = more.stop
        ended |= batch.step()
        while given in ended:
            yield ended.pop(given)
            given += 1


class Batch:
    """The rows that are decoded together; each knows its place in the order that was asked."""

    def __init__(self, student: Student, limit: int, sampling: Sampling) -> None:
        self.student, self.limit = student, limit
        self.trunk = base_of(student.model).get_decoder()
        self.stops = set(chat_format(student.tokenizer).stop_ids)
        self.chooser = Chooser(sampling)
        self.decoder: SharedPrefixDecoder | None = None
        self.rows: list[Row] = []
        self.last = torch.empty(0)  # (B, H): the last state of each row
        self.slots = torch.empty(0, dtype=torch.long)  # (B,): where its next token stands

    @property
    def size(self) -> int:
        """Rows in the batch, those that ended and have not left yet included."""
        return len(self.rows)

    @torch.no_grad()
    def admit(self, requests: Mapping[int, Request]) -> None:
        """Computes the prompts of new rows, those of a schema side by side, and takes them in."""
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
        self.chooser.add(new)
        share = (time.monotonic() - started) / len(new)
        self.rows += [Row(place, request, [], share + request.compiling) for place, request in requests.items()]

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
        """One token for each row; the answers that ended with it, by their places in the order."""
        assert self.decoder is not None
        started = time.monotonic()
        chosen = self.chooser.choose(_next_logits(self.student, self.last))
        ended: list[Row] = []
        for row, token in zip(self.rows, chosen, strict=True):
            if not row.ended:
                row.tokens.append(token)
                row.ended = token in self.stops or len(row.tokens) == self.limit
                ended += [row] * row.ended
        chosen = self._drop_ended(chosen)
        if self.rows:
            self.decoder.place(self.slots[:, None])
            ids = torch.tensor(chosen, device=self.slots.device)[:, None]
            hidden = _forward(self.trunk, ids, (self.slots + self.decoder.prefixes)[:, None], self.decoder)
            self.last, self.slots = hidden[:, 0], self.slots + 1
        share = (time.monotonic() - started) / max(1, len(self.rows))
        for row in self.rows:
            row.seconds += share
        return {row.place: _answer(self.student, row) for row in ended}

    def _drop_ended(self, chosen: list[int]) -> list[int]:
        """Lets rows that ended leave when they are many, and returns the tokens of those that stay."""
        running = [i for i, row in enumerate(self.rows) if not row.ended]
        if running and len(self.rows) - len(running) < DROP_SHARE * len(self.rows):
            return chosen
        self.rows = [self.rows[i] for i in running]
        self.chooser.keep(running)
        if not running:
            self.decoder = None
            return []
        kept = torch.tensor(running, device=self.slots.device)
        assert self.decoder is not None
        self.decoder.keep(kept)
        self.slots = self.slots[kept]
        return [chosen[i] for i in running]


@dataclass
class Row:
    """One request in the batch and its answer so far."""

    place: int
    request: Request
    tokens: list[int]
    seconds: float
    ended: bool = False


def common_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest common prefix that leaves each prompt a token of its own."""
    limit = min(map(len, prompts)) - 1
    for at in range(limit):
        if any(ids[at] != prompts[0][at] for ids in prompts):
            return at
    return limit


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


class Chooser:
    """Chooses each row's next token; a row's draws come from a generator of its own."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.constraint: Constraint | None = None
        self.draws: list[random.Random] = []

    def add(self, requests: Sequence[Request]) -> None:
        """New rows after the others; all of a run have a grammar, or none."""
        self.draws += [random.Random(f"{self.sampling.seed}\n{request.text}") for request in requests]
        grammars = [request.grammar for request in requests if request.grammar is not None]
        if grammars:
            self.constraint = self.constraint or Constraint()
            self.constraint.add(grammars)

    def choose(self, logits: Tensor) -> list[int]:
        """The next token of each row from logits (B, V)."""
        if self.constraint is not None:
            logits = self.constraint.mask(logits)
        tokens = logits.argmax(-1).tolist() if self.sampling.temperature == 0 else self._sample(logits)
        if self.constraint is not None:
            self.constraint.advance(tokens)
        return tokens

    def keep(self, rows: list[int]) -> None:
        """Drops all rows but these."""
        self.draws = [self.draws[row] for row in rows]
        if self.constraint is not None:
            self.constraint.keep(rows)

    def _sample(self, logits: Tensor) -> list[int]:
        """The smallest set of tokens that holds `top_p` of the mass, and one of it by a uniform draw."""
        shares, order = torch.softmax(logits / self.sampling.temperature, -1).double().sort(-1, descending=True)
        mass = shares.cumsum(-1)
        inside = (mass - shares) < self.sampling.top_p
        mass = torch.where(inside, shares, 0.0).cumsum(-1)
        draws = torch.tensor([draw.random() for draw in self.draws], dtype=torch.float64, device=logits.device)
        at = torch.searchsorted(mass, draws[:, None] * mass[:, -1:], right=True)
        at = at.clamp(max=inside.sum(-1, keepdim=True) - 1)
        return order.gather(1, at)[:, 0].tolist()


@torch.no_grad()
def _plain(student: Student, request: Request, limit: int, sampling: Sampling) -> Answer:
    """transformers' own generate: for other architectures, and as what `_shared` is held to."""
    started = time.monotonic()
    chooser = Chooser(sampling)
    chooser.add([request])
    prompt = torch.tensor([request.ids], device=student.device)
    out = student.model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        generation_config=_generation_config(student, limit),
        logits_processor=[_Chosen(chooser)],
    )
    tokens = out[0, len(request.ids) :].tolist()
    return _answer(student, Row(0, request, tokens, time.monotonic() - started + request.compiling))


def _generation_config(student: Student, limit: int) -> Any:
    from transformers import GenerationConfig

    stops = list(chat_format(student.tokenizer).stop_ids)
    return GenerationConfig(max_new_tokens=limit, do_sample=False, pad_token_id=student.pad_id, eos_token_id=stops)


class _Chosen:
    """A logits processor that leaves the chosen token only, so that both ways of decoding choose alike."""

    def __init__(self, chooser: Chooser) -> None:
        self.chooser = chooser

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        token = self.chooser.choose(scores)[0]
        only = torch.full_like(scores, float("-inf"))
        only[:, token] = 0.0
        return only


def _answer(student: Student, row: Row) -> Answer:
    ended = bool(row.tokens) and row.tokens[-1] in chat_format(student.tokenizer).stop_ids
    words = row.tokens[:-1] if ended else row.tokens
    text = student.tokenizer.decode(words, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Answer(str(text), tuple(row.tokens), len(row.request.ids), not ended, row.seconds)
