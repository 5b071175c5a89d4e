"""Packs by FlexAttention: one fused kernel that never visits a block of the mask in which nothing is seen.

What a token sees is two stretches of packed indices: the end of its group's prefix that its window reaches, and its own
run up to itself. Stretches are tensors, so one kernel serves every batch and every window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch._dynamo
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from astudent.student.blocks import Run

BLOCK = 128
"""Tokens on each side of a block of the mask."""
FEWEST_BLOCKS = 2
"""Shorter packs are padded: a size of one would be compiled apart."""


@dataclass
class Stretches:
    """The indices that each of T tokens sees, (T,) each: from `own` to itself, and from `first` to before `end`."""

    own: Tensor
    first: Tensor
    end: Tensor

    @staticmethod
    def build(runs: Iterable[Run], window: int | None) -> Stretches:
        """The packed tokens, padded to whole blocks; a pad sees itself alone."""
        own, first, end, at = [], [], [], 0
        for start, prefix, lengths in runs:
            own.append(_within_run(start, prefix, window))
            first.append(torch.zeros(prefix))
            end.append(torch.zeros(prefix))
            at = start + prefix
            for length in lengths:
                own.append(_within_run(at, length, window))
                first.append(start + _out_of_reach(prefix, length, window))
                end.append(torch.full((length,), start + prefix))
                at += length
        pads = torch.arange(at, max(FEWEST_BLOCKS, -(-at // BLOCK)) * BLOCK)
        nothing = torch.zeros(len(pads))
        columns = ([*own, pads], [*first, nothing], [*end, nothing])
        return Stretches(*(torch.cat([part.int() for part in column]) for column in columns))

    def to(self, device: torch.device) -> Stretches:
        return Stretches(self.own.to(device), self.first.to(device), self.end.to(device))

    def mask_mod(self) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
        """FlexAttention's question: does token q see token k?"""
        own, first, end = self.own, self.first, self.end

        def sees(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
            return ((k >= own[q]) & (k <= q)) | ((k >= first[q]) & (k < end[q]))

        return sees

    def counts(self) -> Tensor:
        """How many pairs of (query, key) are seen in each block, (T / BLOCK, T / BLOCK)."""
        index = torch.arange(len(self.own), device=self.own.device, dtype=torch.int32)
        edges = index[::BLOCK]
        seen = _overlap(self.own, index + 1, edges) + _overlap(self.first, self.end, edges)
        return seen.view(len(edges), BLOCK, len(edges)).sum(1)

    def block_mask(self) -> BlockMask:
        """Without the (T, T) mask that `create_block_mask` makes; its sizes may vary without compiling anew."""
        counts = self.counts()[None, None]
        full = counts == BLOCK * BLOCK
        blocks = (*_in_order((counts > 0) & ~full), *_in_order(full))
        lengths = (len(self.own), len(self.own))
        mask = BlockMask.from_kv_blocks(*blocks, BLOCK_SIZE=BLOCK, mask_mod=self.mask_mod(), seq_lengths=lengths)
        for part in (self.own, self.first, self.end, *mask.as_tuple()):
            _let_vary(part)
        return mask


@dataclass
class SparseBlocks:
    """The mask of a packed sequence of T tokens for the layers of one window."""

    mask: BlockMask

    @staticmethod
    def build(runs: Iterable[Run], window: int | None, device: torch.device) -> SparseBlocks:
        return SparseBlocks(Stretches.build(runs, window).to(device).block_mask())

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """query (1, H, T, D), key and value (1, Hkv, T, D) -> (1, T, H, D)."""
        length, dtype = query.shape[2], computing_dtype(query)
        pads = (0, 0, 0, self.mask.shape[-1] - length)
        q, k, v = (F.pad(states.to(dtype), pads).contiguous() for states in (query, key, value))
        is_usual = math.isclose(scaling, query.shape[3] ** -0.5)  # then it is a constant of the kernel
        return kernel()(q, k, v, self.mask, None if is_usual else scaling)[:, :, :length].transpose(1, 2)


def fused(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, scale: float | None) -> Tensor:
    """What is compiled. Query heads that share a key head read the same keys, which are never repeated."""
    shares = query.shape[1] != key.shape[1]
    return flex_attention(query, key, value, block_mask=mask, scale=scale, enable_gqa=shares)


@lru_cache(maxsize=1)
def kernel() -> Callable[..., Tensor]:
    """`fused`, compiled. A graph in parts is an error: what is left out of it would hold all scores (H, T, T)."""
    return torch.compile(fused, dynamic=True, fullgraph=True)


def computing_dtype(query: Tensor) -> torch.dtype:
    """The dtype in which SDPA would compute: autocast's where it is on, else the query's."""
    device = query.device.type
    if query.dtype != torch.float64 and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return query.dtype


def _within_run(start: int, length: int, window: int | None) -> Tensor:
    """For each token of a run the first one of the same run that it sees, (length,)."""
    reach = length if window is None else window - 1
    return start + (torch.arange(length) - reach).clamp(min=0)


def _out_of_reach(prefix: int, length: int, window: int | None) -> Tensor:
    """For each token of a suffix how many of the prefix's tokens its window does not reach, (length,)."""
    if window is None:
        return torch.zeros(length)
    return (prefix + torch.arange(length) - (window - 1)).clamp(0, prefix)


def _overlap(low: Tensor, high: Tensor, edges: Tensor) -> Tensor:
    """How many of the indices from `low` (T,) to before `high` (T,) lie in each block, (T, blocks)."""
    inside = torch.minimum(high[:, None], edges + BLOCK) - torch.maximum(low[:, None], edges)
    return inside.clamp(min=0)


def _in_order(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """How many blocks of each row are true, (1, 1, n), and the columns of all, those first, (1, 1, n, n)."""
    columns = blocks.int().argsort(dim=-1, descending=True, stable=True)
    return blocks.sum(-1, dtype=torch.int32), columns.int()


def _let_vary(part: Any) -> None:
    """Marks a tensor's sizes as such that vary by batch."""
    if isinstance(part, Tensor):
        torch._dynamo.maybe_mark_dynamic(part, [dim for dim, size in enumerate(part.shape) if size > 1])
