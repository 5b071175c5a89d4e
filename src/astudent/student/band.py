"""Sliding-window attention of packed sequences in blocks: each block of queries meets its own window of keys, never the whole row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 16
"""Query tokens per block."""
SMALL_WINDOW = 64
"""Sliding windows up to this many positions are computed apart from the rest of a row."""


@dataclass
class Band:
    """Index plan of a banded layer: blocks of queries, each with its window of keys.

    `queries` (N * BLOCK,) and `keys` (N * width,) are packed indices, `mask`
    (N, 1, BLOCK, width) is true where a key is seen, `back` (T,) finds each
    packed token among the blocks' rows.
    """

    queries: Tensor
    keys: Tensor
    mask: Tensor
    back: Tensor
    width: int
    _bias: Tensor | None = None

    def bias(self, share: int, dtype: torch.dtype) -> Tensor:
        """(N, 1, share * BLOCK, width): 0 where a key is seen, -inf elsewhere."""
        if self._bias is None or self._bias.dtype != dtype:
            self._bias = as_bias(self.mask, dtype).repeat(1, 1, share, 1)
        return self._bias

    @staticmethod
    def build(runs: Iterable[tuple[int, int, list[int]]], window: int, device: torch.device) -> Band:
        """The band of a packed sequence, from each group's first index, length of prefix and lengths of suffixes."""
        width = BLOCK + window - 1
        offset, block = torch.arange(width), torch.arange(BLOCK)
        diagonal = offset[None] - block[:, None]
        static = (diagonal >= 0) & (diagonal < window)  # key o is at distance i + window - 1 - o of query i
        queries, keys, masks, back, blocks = [], [], [], [], 0
        for first_index, prefix, lengths in runs:
            starts = [(first_index, prefix, 0)]
            at = first_index + prefix
            for length in lengths:
                starts.append((at, length, min(prefix, window - 1)))
                at += length
            for first, length, halo in starts:
                count = -(-length // BLOCK)
                own = torch.arange(count * BLOCK)
                queries.append(first + own.clamp(max=length - 1))
                relative = (torch.arange(count)[:, None] * BLOCK - (window - 1)) + offset[None]  # (count, width)
                inside = first + relative.clamp(min=0, max=length - 1)
                # Before its first token a suffix sees the last tokens of the prefix.
                before = (first_index + prefix + relative).clamp(min=first_index)
                keys.append(torch.where(relative >= 0, inside, before if halo else inside).reshape(-1))
                masks.append(static[None] & (relative >= -halo)[:, None])
                back.append(blocks * BLOCK + torch.arange(length))
                blocks += count
        cat = [torch.cat(x).to(device) for x in (queries, keys, masks, back)]
        return Band(cat[0], cat[1], cat[2][:, None], cat[3], width)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float, dropout: float) -> Tensor:
        """Sliding-window attention in blocks: (1, H, T, D) -> (1, T, H, D)."""
        _, heads, _, dim = query.shape
        kv_heads, count = key.shape[1], self.mask.shape[0]
        share = heads // kv_heads
        q = query[0].transpose(0, 1).index_select(0, self.queries).view(count, BLOCK, kv_heads, share, dim)
        k = key[0].transpose(0, 1).index_select(0, self.keys).view(count, self.width, kv_heads, dim).transpose(1, 2)
        v = value[0].transpose(0, 1).index_select(0, self.keys).view(count, self.width, kv_heads, dim).transpose(1, 2)
        q = q.permute(0, 2, 3, 1, 4).reshape(count, kv_heads, share * BLOCK, dim)
        out = attend_small(q, k, v, self.bias(share, q.dtype), scaling, dropout)
        out = out.view(count, kv_heads, share, BLOCK, dim).permute(0, 3, 1, 2, 4).reshape(count * BLOCK, heads, dim)
        return out.index_select(0, self.back)[None]


def attend_small(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scaling: float, dropout: float) -> Tensor:
    """Attention in plain products, (B, H, Q, D) x (B, H, L, D); bias (.., Q, L) is added to the scores.

    For small blocks and heads it beats the fused kernel, whose backward is slow on a CPU.
    """
    scores = torch.matmul(q * scaling, k.transpose(2, 3)).add_(bias)
    wide = scores if scores.dtype == torch.float64 else scores.float()
    shares = torch.softmax(wide, -1).to(v.dtype)
    return torch.matmul(F.dropout(shares, dropout) if dropout else shares, v)


def as_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, float("-inf"))
