"""Attention of packs on a CPU: blocks of queries, each against the keys that it may see and no others.

The scores of one block exist at a time. With large heads the backward pass computes them anew, so that of a layer only
query, key and value are kept; with small ones they are kept, since there a step's time goes into passes over memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Run = tuple[int, int, list[int]]
"""A group: its first index, the length of its prefix and those of its suffixes."""

SMALL_WINDOW, FEW_QUERIES = 64, 16
"""Sliding windows up to this many positions are cut into pieces of so many queries, suffixes too."""
QUERIES = 256
"""Queries of a prefix in a block, with other windows."""
SCORES = 2**21
"""Scores of a block: about what a cache holds."""
SMALL_HEAD = 48
"""Heads up to this many dimensions keep their shares for the backward pass."""


@dataclass
class Block:
    """R pieces of Q queries, each piece against its own L keys.

    `queries` (R * Q,) and `keys` (R * L,) are packed indices, some of them pads. `seen` (R or 1, Q, L) is true where a key
    is seen. `real` (n,) are the places in `queries` that are no pads, `pads` the others.
    """

    queries: Tensor
    keys: Tensor
    seen: Tensor
    real: Tensor
    pads: Tensor
    _bias: dict[tuple[int, torch.dtype], Tensor] = field(default_factory=dict, repr=False)

    @staticmethod
    def build(queries: Tensor, keys: Tensor, seen: Tensor, is_real: Tensor) -> Block:
        """From queries (R, Q), keys (R, L), what is seen (R or 1, Q, L) and which queries are no pads (R, Q)."""
        flat = is_real.reshape(-1)
        return Block(queries.reshape(-1), keys.reshape(-1), seen, flat.nonzero()[:, 0], (~flat).nonzero()[:, 0])

    def bias(self, share: int, dtype: torch.dtype) -> Tensor:
        """(R or 1, 1, Q * share, L): 0 where a key is seen, -inf elsewhere."""
        if (share, dtype) not in self._bias:
            bias = torch.zeros(self.seen.shape, dtype=dtype).masked_fill_(~self.seen, float("-inf"))
            self._bias[share, dtype] = bias.repeat_interleave(share, 1)[:, None]
        return self._bias[share, dtype]

    def of_queries(self, states: Tensor, kv_heads: int) -> Tensor:
        """(T, H, D) -> (R, Hkv, Q * share, D): query heads that share a key head stand beside each other; pads are zeros."""
        queries, dim = self.seen.shape[1], states.shape[2]
        found = states.index_select(0, self.queries).index_fill_(0, self.pads, 0.0)
        found = found.view(-1, queries, kv_heads, states.shape[1] // kv_heads, dim)
        return found.transpose(1, 2).reshape(found.shape[0], kv_heads, -1, dim)

    def of_keys(self, states: Tensor) -> Tensor:
        """(T, Hkv, D) -> (R, Hkv, L, D)."""
        return states.index_select(0, self.keys).view(-1, self.seen.shape[2], *states.shape[1:]).transpose(1, 2)

    def put_queries(self, into: Tensor, states: Tensor) -> None:
        """The way back of `of_queries`, into (T, H, D)."""
        _, kv_heads, _, dim = states.shape
        queries, heads = self.seen.shape[1], into.shape[1]
        rows = states.view(-1, kv_heads, queries, heads // kv_heads, dim).transpose(1, 2).reshape(-1, heads, dim)
        into.index_copy_(0, self.queries[self.real], rows.index_select(0, self.real).to(into.dtype))

    def add_keys(self, into: Tensor, states: Tensor) -> None:
        """The way back of `of_keys`, into (T, Hkv, D): what several pieces say of a key is added up."""
        into.index_add_(0, self.keys, states.transpose(1, 2).reshape(-1, *into.shape[1:]))


@dataclass
class Blocks:
    """What the layers of one window compute for a packed sequence; each token is a query once."""

    blocks: list[Block]

    @staticmethod
    def build(runs: Iterable[Run], window: int | None, heads: int) -> Blocks:
        if window is not None and window <= SMALL_WINDOW:
            return Blocks([_band(runs, window)])
        return Blocks([block for run in runs for block in (*_prefix(run, window), *_suffixes(run, window, heads))])

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """query (1, H, T, D), key and value (1, Hkv, T, D) -> (1, T, H, D)."""
        states = (state[0].transpose(0, 1) for state in (query, key, value))
        return _Attention.apply(*states, self.blocks, scaling)[None]  # pyright: ignore[reportOptionalSubscript, reportReturnType]


class _Attention(torch.autograd.Function):
    """query (T, H, D), key and value (T, Hkv, D) -> (T, H, D)."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, blocks: list[Block], scaling: float) -> Tensor:
        is_kept = query.shape[2] <= SMALL_HEAD and any(ctx.needs_input_grad)
        out, kept = torch.empty_like(query, memory_format=torch.contiguous_format), []
        with torch.autocast("cpu", enabled=False):
            for block in blocks:
                parts = _parts(block, query, key, value, scaling)
                block.put_queries(out, torch.matmul(parts[3], parts[2]))
                kept += parts if is_kept else ()
        ctx.save_for_backward(query, key, value, *kept)
        ctx.blocks, ctx.scaling = blocks, scaling
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        query, key, value, *kept = ctx.saved_tensors
        wide = torch.promote_types(query.dtype, torch.float32)
        of_query, of_key, of_value = (torch.zeros(states.shape, dtype=wide) for states in (query, key, value))
        for at, block in enumerate(ctx.blocks):
            q, k, v, shares = kept[4 * at : 4 * at + 4] or _parts(block, query, key, value, ctx.scaling)
            slope = block.of_queries(grad, key.shape[1]).to(wide)
            block.add_keys(of_value, torch.matmul(shares.transpose(2, 3), slope))
            slope = torch.ops.aten._softmax_backward_data(torch.matmul(slope, v.transpose(2, 3)), shares, -1, wide)
            block.put_queries(of_query, torch.matmul(slope, k).mul_(ctx.scaling))
            block.add_keys(of_key, torch.matmul(slope.transpose(2, 3), q))
        return of_query.to(query.dtype), of_key.to(key.dtype), of_value.to(value.dtype), None, None


def _parts(
    block: Block, query: Tensor, key: Tensor, value: Tensor, scaling: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A block's scaled queries, keys, values and shares, (R, Hkv, Q * share or L, D or L) each, in full precision."""
    wide = torch.promote_types(query.dtype, torch.float32)
    q = block.of_queries(query, key.shape[1]).to(wide).mul_(scaling)
    k, v = block.of_keys(key).to(wide), block.of_keys(value).to(wide)
    scores = torch.matmul(q, k.transpose(2, 3)).add_(block.bias(query.shape[1] // key.shape[1], wide))
    return q, k, v, torch.softmax(scores, -1)


def _prefix(run: Run, window: int | None) -> Iterator[Block]:
    start, prefix, _ = run
    for first in range(0, prefix, QUERIES):
        queries = torch.arange(first, min(prefix, first + QUERIES))
        keys = torch.arange(0 if window is None else max(0, first - window + 1), int(queries[-1]) + 1)
        seen = _sees(queries, keys, window)
        yield Block.build(start + queries[None], start + keys[None], seen[None], torch.ones(1, len(queries)).bool())


def _suffixes(run: Run, window: int | None, heads: int) -> Iterator[Block]:
    """The suffixes as rows over [what any of them sees of the prefix | their own tokens]; a pad points at its row's last token."""
    start, prefix, lengths = run
    end = start + prefix
    reach = prefix if window is None else min(prefix, window - 1)
    begins = end + torch.tensor([0, *lengths[:-1]]).cumsum(0)
    by_length = torch.tensor(lengths).argsort(stable=True)  # neighbours of like length need fewer pads
    longest = max(lengths)
    for some in by_length.split(max(1, SCORES // (heads * longest * (reach + longest)))):
        length = torch.tensor(lengths)[some, None]
        place = torch.arange(int(length.max()))
        own = begins[some, None] + torch.minimum(place, length - 1)
        tail = torch.arange(end - reach, end).expand(len(some), -1)
        seen = _sees(place + reach, torch.arange(reach + len(place)), window)
        yield Block.build(own, torch.cat([tail, own], 1), seen[None], place < length)


def _band(runs: Iterable[Run], window: int) -> Block:
    """Each stretch, prefix or suffix, in pieces of `FEW_QUERIES`; the first tokens of a suffix see the last of the prefix."""
    width = FEW_QUERIES + window - 1
    offset, place = torch.arange(width), torch.arange(FEW_QUERIES)
    near = _sees(place + window - 1, offset, window)
    queries, keys, seen, is_real = [], [], [], []
    for start, prefix, lengths in runs:
        stretches = [(start, prefix, 0)]
        at = start + prefix
        for length in lengths:
            stretches.append((at, length, min(prefix, window - 1)))
            at += length
        for first, length, halo in stretches:
            piece = torch.arange(0, length, FEW_QUERIES)[:, None]
            queries.append(first + (piece + place).clamp(max=length - 1))
            is_real.append(piece + place < length)
            relative = piece - (window - 1) + offset
            inside = first + relative.clamp(min=0, max=length - 1)
            before = (start + prefix + relative).clamp(min=start)
            keys.append(torch.where(relative >= 0, inside, before if halo else inside))
            seen.append(near & (relative >= -halo)[:, None])
    return Block.build(torch.cat(queries), torch.cat(keys), torch.cat(seen), torch.cat(is_real))


def _sees(queries: Tensor, keys: Tensor, window: int | None) -> Tensor:
    """(Q, L): whether a query at one position sees a key at another."""
    distance = queries[:, None] - keys
    return distance >= 0 if window is None else (distance >= 0) & (distance < window)
