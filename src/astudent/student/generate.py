"""Answers: a schema's prefix is computed once, requests of several schemas are decoded in one batch against their prefixes.

Greedy or sampled, free or under the schema's grammar. A sampled answer depends on the seed and its own prompt alone,
never on what else is in the batch. Architectures that packs are not known for take transformers' own `generate`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from astudent.student.attention import ready_mask
from astudent.student.constrain import Constraint, SchemaGrammar
from astudent.student.decoding import PrefixRecorder, SharedPrefixDecoder
from astudent.student.load import Student
from astudent.student.loss import base_of
from astudent.student.prompt import chat_format

DROP_SHARE = 0.25
"""Finished rows are dropped when they are at least this share of the batch."""


@dataclass(frozen=True)
class Answer:
    """One answer. `tokens` counts the end of turn too; `truncated` says that max_new_tokens cut it off.

    `seconds` is the batch's time divided by its rows.
    """

    text: str
    tokens: int
    prompt_tokens: int
    truncated: bool
    seconds: float


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
) -> dict[str, list[Answer]]:
    """Answers rendered prompts, given by schema id; the answers stand in the same order. `batch_size` rows are decoded at once.

    `schemas` (by the same ids) makes decoding constrained: RunError for one that cannot be enforced. `plain` takes
    transformers' own generate, one prompt at a time.
    """
    sampling = Sampling(temperature, top_p, seed)
    rows = student.model.get_input_embeddings().weight.shape[0]
    grammars = {
        schema_id: SchemaGrammar(student.tokenizer, schema, rows)
        for schema_id, schema in (schemas or {}).items()
        if schema_id in prompts
    }
    asked = [(schema_id, text) for schema_id, texts in prompts.items() for text in texts]
    decode = _plain if plain or not student.can_pack else _shared
    answers: dict[str, list[Answer]] = {schema_id: [] for schema_id in prompts}
    was_training = student.model.training
    student.model.eval()
    for start in range(0, len(asked), batch_size):
        part = asked[start : start + batch_size]
        constraint = Constraint([grammars[schema_id] for schema_id, _ in part]) if schemas is not None else None
        for (schema_id, _), answer in zip(
            part, decode(student, part, max_new_tokens, sampling, constraint), strict=True
        ):
            answers[schema_id].append(answer)
    student.model.train(was_training)
    return answers


@torch.no_grad()
def _shared(
    student: Student, asked: Sequence[tuple[str, str]], limit: int, sampling: Sampling, constraint: Constraint | None
) -> list[Answer]:
    """One batch of (schema id, prompt), those of a schema side by side: they share what prefix they share."""
    started = time.monotonic()
    texts = [text for _, text in asked]
    prompts: list[list[int]] = student.tokenizer(texts, add_special_tokens=False)["input_ids"]  # pyright: ignore
    counts = [len(list(group)) for _, group in groupby(asked, key=lambda row: row[0])]
    trunk = base_of(student.model).get_decoder()
    stores, prefixes = [], []
    for count in counts:
        of_schema = prompts[len(prefixes) :][:count]
        prefix = common_prefix(of_schema)
        recorder = PrefixRecorder()
        _forward(trunk, torch.tensor([of_schema[0][:prefix]], device=student.device), 0, recorder)
        stores.append(recorder.store)
        prefixes += [prefix] * count
    requests = [ids[prefix:] for ids, prefix in zip(prompts, prefixes, strict=True)]
    lengths = torch.tensor([len(ids) for ids in requests], device=student.device)
    longest = int(lengths.max())
    ids = torch.full((len(requests), longest), student.pad_id, device=student.device)
    for row, request in enumerate(requests):
        ids[row, : len(request)] = torch.tensor(request)
    decoder = SharedPrefixDecoder(stores, counts, longest)
    decoder.place(torch.arange(longest, device=student.device).expand(len(requests), -1))
    hidden = _forward(trunk, ids, decoder.prefixes[:, None], decoder)
    last = hidden[torch.arange(len(requests), device=student.device), lengths - 1]
    tokens = _decode(student, trunk, decoder, Chooser(texts, sampling, constraint), last, lengths, limit)
    return _answers(student, prompts, tokens, time.monotonic() - started)


def common_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest common prefix that leaves each prompt a token of its own."""
    limit = min(map(len, prompts)) - 1
    for at in range(limit):
        if any(ids[at] != prompts[0][at] for ids in prompts):
            return at
    return limit


def _forward(trunk: Any, ids: Tensor, first: int | Tensor, layout: Any) -> Tensor:
    """Hidden states (B, Q, H) of tokens (B, Q) that start at position `first`."""
    places = (torch.arange(ids.shape[1], device=ids.device)[None] + first).expand(len(ids), -1)
    mask = ready_mask().to(ids.device)
    return trunk(
        input_ids=ids, position_ids=places, attention_mask=mask, use_cache=False, layout=layout
    ).last_hidden_state


def _decode(
    student: Student,
    trunk: Any,
    decoder: SharedPrefixDecoder,
    chooser: Chooser,
    last: Tensor,
    lengths: Tensor,
    limit: int,
) -> list[list[int]]:
    """Tokens of each row up to and with its end, or `limit` of them. `last` (B, H) are the prompts' last states."""
    stops = set(chat_format(student.tokenizer).stop_ids)
    out: list[list[int]] = [[] for _ in range(len(last))]
    active = list(range(len(last)))
    slots = lengths.clone()
    for step in range(limit):
        chosen = chooser.choose(_next_logits(student, last))
        for row, token in zip(active, chosen, strict=True):
            if not (out[row] and out[row][-1] in stops):
                out[row].append(token)
        running = [i for i, row in enumerate(active) if out[row][-1] not in stops]
        if not running or step + 1 == limit:
            break
        if len(active) - len(running) >= DROP_SHARE * len(active):
            kept = torch.tensor(running, device=slots.device)
            decoder.keep(kept)
            chooser.keep(running)
            slots, chosen = slots[kept], [chosen[i] for i in running]
            active = [active[i] for i in running]
        decoder.place(slots[:, None])
        ids = torch.tensor(chosen, device=slots.device)[:, None]
        last = _forward(trunk, ids, (slots + decoder.prefixes)[:, None], decoder)[:, 0]
        slots = slots + 1
    return out


def _next_logits(student: Student, hidden: Tensor) -> Tensor:
    """Logits (B, V) of the next token in full precision."""
    base = base_of(student.model)
    logits = base.get_output_embeddings()(hidden)
    logits = logits if logits.dtype == torch.float64 else logits.float()
    softcap = getattr(base.config, "final_logit_softcapping", None)
    return logits if softcap is None else torch.tanh(logits / softcap) * softcap


class Chooser:
    """Chooses each row's next token; a row's draws come from a generator of its own."""

    def __init__(self, texts: Sequence[str], sampling: Sampling, constraint: Constraint | None) -> None:
        self.sampling, self.constraint = sampling, constraint
        self.draws = [random.Random(f"{sampling.seed}\n{text}") for text in texts]

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
def _plain(
    student: Student, asked: Sequence[tuple[str, str]], limit: int, sampling: Sampling, constraint: Constraint | None
) -> list[Answer]:
    """transformers' own generate, one prompt at a time: for other architectures, and as what `_shared` is held to."""
    answers = []
    for row, (_, text) in enumerate(asked):
        started = time.monotonic()
        prompt: list[int] = student.tokenizer(text, add_special_tokens=False)["input_ids"]  # pyright: ignore
        chooser = Chooser([text], sampling, Constraint([constraint.grammars[row]]) if constraint else None)
        out = student.model.generate(
            input_ids=torch.tensor([prompt], device=student.device),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long, device=student.device),
            generation_config=_generation_config(student, limit),
            logits_processor=[_Chosen(chooser)],
        )
        answers += _answers(student, [prompt], [out[0, len(prompt) :].tolist()], time.monotonic() - started)
    return answers


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


def _answers(
    student: Student, prompts: Sequence[Sequence[int]], tokens: list[list[int]], seconds: float
) -> list[Answer]:
    stops = chat_format(student.tokenizer).stop_ids
    share = seconds / max(1, len(tokens))
    ended = [bool(ids) and ids[-1] in stops for ids in tokens]
    words = [ids[:-1] if end else ids for ids, end in zip(tokens, ended, strict=True)]
    texts = student.tokenizer.batch_decode(words, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return [
        Answer(text, len(ids), len(prompt), not end, share)
        for text, ids, prompt, end in zip(texts, tokens, prompts, ended, strict=True)
    ]
