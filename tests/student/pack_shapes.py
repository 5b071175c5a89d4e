"""Shapes of packs, their states, and what stands in for FlexAttention's kernel: a CPU has its forward only."""

from typing import Any

import torch
import torch.nn.functional as F

from astudent.student import flex
from astudent.student.attention import Group, PackLayout

Shape = list[tuple[int, list[int]]]
"""Groups: the length of a prefix and those of its suffixes."""
SHAPES: list[Shape] = [
    [(5, [3])],
    [(20, [7, 30, 1]), (150, [40, 140, 2])],
    [(128, [128, 128]), (1, [1, 1]), (60, [61, 3, 90])],
]


def runs_of(shape: Shape) -> list[flex.Run]:
    runs, at = [], 0
    for prefix, lengths in shape:
        runs.append((at, prefix, lengths))
        at += prefix + sum(lengths)
    return runs


def layout_of(shape: Shape) -> PackLayout:
    return PackLayout([Group.build(*run) for run in runs_of(shape)])


def states_of(
    shape: Shape, heads: int, kv_heads: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random queries (1, heads, T, 16), keys and values (1, kv_heads, T, 16)."""
    length = sum(prefix + sum(lengths) for prefix, lengths in shape)
    draw = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(1, n, length, 16, generator=draw, dtype=dtype) for n in (heads, kv_heads, kv_heads)
    )
    return query, key, value


def seen_by_definition(shape: Shape, window: int | None, size: int = 0) -> torch.Tensor:
    """(T, T), T at least `size`: token q sees token k if k is of q's prefix or run, not after it, and within the window by position."""
    tokens: list[tuple[int, int, int]] = []  # group, run (0 is the prefix), position
    for group, (prefix, lengths) in enumerate(shape):
        tokens += [(group, 0, position) for position in range(prefix)]
        for run, length in enumerate(lengths, 1):
            tokens += [(group, run, prefix + step) for step in range(length)]
    tokens += [(-1 - pad, 0, 0) for pad in range(size - len(tokens))]
    group, run, position = torch.tensor(tokens).unbind(1)
    distance = position[:, None] - position
    seen = (group[:, None] == group) & ((run == 0) | (run[:, None] == run)) & (distance >= 0)
    return seen if window is None else seen & (distance < window)


def dense(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, scale: float | None) -> torch.Tensor:
    """What the kernel computes, by SDPA over all scores: it has a backward pass on a CPU."""
    index = torch.arange(query.shape[2])
    seen = mask.mask_mod(index, index, index[:, None], index)
    share = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(share, 1), value.repeat_interleave(share, 1)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scale)
