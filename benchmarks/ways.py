"""The ways to compute that the benchmarks set side by side: the project's packs, what an ordinary user runs, and the most that a peer does.

`ordinary` is padded micro-batches of two rows with all logits. `best_peer` is what TRL's fused head comes to: logits at supervised positions only, in
padded micro-batches of four rows of like length; TRL's own needs Triton, so here it runs through this project's plain batches, which compute the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import batched
from typing import Any

import torch
from models import device
from torch import Tensor

from astudent.student.attention import PREFIX_SHARED
from astudent.student.batching import Batcher, TokenBatch, Unit, pad
from astudent.student.loss import base_of, row_log_probabilities, token_losses
from astudent.student.supervision import Encoded

ORDINARY_ROWS, PEER_ROWS = 2, 4
ORDINARY = "padded rows, two at a time, all logits"
PEER = "padded rows, four at a time, logits where supervised"
UNBOUNDED = 10**9


def supervised(rows: list[Encoded]) -> int:
    return sum(len(row.roles) for row in rows)


@contextmanager
def plain_attention(model: Any) -> Iterator[None]:
    """transformers' own attention meanwhile."""
    base_of(model).set_attn_implementation("sdpa")
    try:
        yield
    finally:
        base_of(model).set_attn_implementation(PREFIX_SHARED)


def packs(units: list[Unit]) -> list[TokenBatch]:
    return [batch.to(device()) for batch in Batcher(True, 0, UNBOUNDED).micro_batches(units)[0]]


def plain_batches(units: list[Unit], rows: int) -> list[TokenBatch]:
    return [batch.to(device()) for batch in Batcher(False, 0, UNBOUNDED, plain_rows=rows).micro_batches(units)[0]]


def step(model: Any, losses: Callable[[], Iterator[Tensor]], count: int) -> float:
    """Forward and backward over all micro-batches; the mean loss of `count` tokens."""
    model.zero_grad()
    total = 0.0
    for part in losses():
        loss = part.sum() / count
        loss.backward()
        total += loss.item()
    return total


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
    with plain_attention(model):
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
