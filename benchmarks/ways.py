"""The ways to compute that the benchmarks set side by side: the project's packs, what an ordinary user runs, and the most that a peer does.

`ordinary` is padded micro-batches of two rows with all logits, and gradient checkpointing, which TRL turns on by default. `best_peer` is what TRL's fused head comes to: logits at supervised positions only, in
padded micro-batches of four rows of like length; TRL's own needs Triton, so here it runs through this project's plain batches, which compute the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import batched
from typing import Any

import torch
from measure import Case, Rival, Work, compare
from models import device, make_rows
from settings import Arrangement
from torch import Tensor

from astudent.student.attention import PREFIX_SHARED
from astudent.student.batching import Batcher, TokenBatch, Unit, pad
from astudent.student.lean import plainly
from astudent.student.loss import base_of, row_log_probabilities, token_losses
from astudent.student.supervision import Encoded

ORDINARY_ROWS, PEER_ROWS = 2, 4
ORDINARY = "padded rows, two at a time, all logits, gradient checkpointing"
PEER = "padded rows, four at a time, logits where supervised"
UNBOUNDED = 10**9

Losses = Callable[[Any, list[Encoded]], Iterator[Tensor]]
"""A model's losses of rows, micro-batch by micro-batch."""


def supervised(rows: list[Encoded]) -> int:
    return sum(len(row.roles) for row in rows)


@contextmanager
def plain_attention(model: Any) -> Iterator[None]:
    """transformers' own forwards and attention meanwhile."""
    base_of(model).set_attn_implementation("sdpa")
    try:
        with plainly(model):
            yield
    finally:
        base_of(model).set_attn_implementation(PREFIX_SHARED)


@contextmanager
def trl_defaults(model: Any) -> Iterator[None]:
    """transformers' own attention, and in training gradient checkpointing, meanwhile."""
    with plain_attention(model):
        if model.training:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        try:
            yield
        finally:
            model.gradient_checkpointing_disable()


def packs(units: list[Unit]) -> list[TokenBatch]:
    return [batch.to(device()) for batch in Batcher(True, 0, UNBOUNDED).micro_batches(units)[0]]


def plain_batches(units: list[Unit], rows: int) -> list[TokenBatch]:
    return [batch.to(device()) for batch in Batcher(False, 0, UNBOUNDED, plain_rows=rows).micro_batches(units)[0]]


def packed_losses(model: Any, rows: list[Encoded]) -> Iterator[Tensor]:
    for batch in packs([(row,) for row in rows]):
        yield token_losses(model, batch)


def peer_losses(model: Any, rows: list[Encoded]) -> Iterator[Tensor]:
    with plain_attention(model):
        for batch in plain_batches([(row,) for row in rows], PEER_ROWS):
            yield token_losses(model, batch)


def pair_log_probabilities(model: Any, batch: TokenBatch) -> Tensor:
    """(pairs, 2): log p of each pair's answers, chosen and rejected."""
    return row_log_probabilities(token_losses(model, batch), batch).view(-1, 2)


def ordinary_losses(model: Any, rows: list[Encoded]) -> Iterator[Tensor]:
    """transformers' own loss of each micro-batch, as a sum."""
    with trl_defaults(model):
        for part in batched(rows, ORDINARY_ROWS):
            count = supervised(list(part))
            yield model(**labelled(list(part)), use_cache=False, num_items_in_batch=count).loss * count


def labelled(rows: list[Encoded]) -> dict[str, Tensor]:
    """Ids, mask and labels (B, T), padded on the right: what any trainer's collator makes."""
    batch = pad(rows, 0).to(device())
    labels = torch.full_like(batch.input_ids, -100)
    labels.view(-1)[batch.predict_at + 1] = batch.targets
    assert batch.attention_mask is not None  # a padded batch has one
    return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, "labels": labels}


def losses_case(
    what: str, run: Callable[[Any, Losses, list[Encoded]], float], ordinary: tuple[str, Losses]
) -> Callable[[Any, str, Arrangement], list[Case]]:
    """A case of a benchmark that turns the losses of rows into one figure: packs against the `ordinary` way, (description, losses), and a peer's."""

    def case(model: Any, name: str, asked: Arrangement) -> list[Case]:
        rows = make_rows(asked, model.config.vocab_size)

        def work(losses: Losses, count: int) -> Work:
            return Work(lambda: run(model, losses, rows[:count]), count)

        description, ordinary_way = ordinary
        rivals = [
            Rival("ordinary", description, work(ordinary_way, asked.ordinary_rows)),
            Rival("best_peer", PEER, work(peer_losses, asked.peer_rows)),
        ]
        ours = work(packed_losses, asked.rows)
        return compare(f"{what}, {name}, {asked}", ours, rivals, asked.rounds, headline=asked.headline)

    return case
