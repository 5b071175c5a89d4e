"""Attention of packs on a CPU: blocks of queries, each against the keys that it may see and no others.

The scores of one block exist at a time. With large heads the backward pass computes them anew, so that of a layer only
query, key and value are kept; with small ones they are kept, since there a step's time goes into passes over memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
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

    `queries` (R, Q) and `keys` (R, L) are packed indices, `is_real` (R, Q) tells the queries from pads. `seen` (R or 1, Q, L) is
    true where a key is seen. Query heads that share a key head stand beside each other, as further queries of its piece.
    """

    queries: Tensor
    keys: Tensor
    seen: Tensor
    is_real: Tensor
    _made: dict[Any, Tensor] = field(default_factory=dict, repr=False)

    def rows_of_queries(self, heads: Heads) -> Tensor:
        """(R * Hkv * Q * share,): where the pieces' queries lie among the T * H rows of a (T, H, D)."""
        return self._once(("queries", heads), lambda: _rows(self.queries, heads))

    def rows_of_keys(self, heads: Heads) -> Tensor:
        """(R * Hkv * L,): where the pieces' keys lie among the T * Hkv rows of a (T, Hkv, D)."""
        return self._once(("keys", heads), lambda: _rows(self.keys, Heads(heads.key_value, 1)))

    def pads(self, heads: Heads) -> Tensor:
        """Which of `rows_of_queries` are pads."""
        return self._once(("pads", heads), lambda: (~self._is_real(heads)).nonzero()[:, 0])

    def real(self, heads: Heads) -> Tensor:
        """Which are not."""
        return self._once(("real", heads), lambda: self._is_real(heads).nonzero()[:, 0])

    def bias(self, heads: Heads, dtype: torch.dtype) -> Tensor:
        """(R * Hkv or 1, Q * share, L): 0 where a key is seen, -inf elsewhere."""
        return self._once(("bias", heads, dtype), lambda: self._bias(heads, dtype))

    def pieces(self, rows: Tensor, heads: Heads) -> Tensor:
        """Rows in the order of `rows_of_queries` or `rows_of_keys` as (R * Hkv, Q * share or L, D)."""
        return rows.view(len(self.keys) * heads.key_value, -1, rows.shape[-1])

    def _bias(self, heads: Heads, dtype: torch.dtype) -> Tensor:
        bias = torch.zeros(self.seen.shape, dtype=dtype).masked_fill_(~self.seen, float("-inf"))
        bias = bias.repeat_interleave(heads.share, 1)
        return bias if len(bias) == 1 else bias.repeat_interleave(heads.key_value, 0)

    def _is_real(self, heads: Heads) -> Tensor:
        return self.is_real[:, None, :, None].expand(-1, heads.key_value, -1, heads.share).reshape(-1)

    def _once(self, name: Any, make: Callable[[], Tensor]) -> Tensor:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]


@dataclass(frozen=True)
class Heads:
    """How many key heads there are, and how many query heads share one."""

    key_value: int
    share: int


def _rows(places: Tensor, heads: Heads) -> Tensor:
    """Packed indices (R, N) -> (R * Hkv * N * share,), rows of a (T, H, D) flattened to (T * H, D)."""
    head = torch.arange(heads.key_value)[:, None, None] * heads.share + torch.arange(heads.share)
    return (places[:, None, :, None] * (heads.key_value * heads.share) + head).reshape(-1)


@dataclass
class Blocks:
    """What the layers of one window compute for a packed sequence; each token is a query once."""

    blocks: list[Block]
    _back: dict[Heads, Tensor] = field(default_factory=dict, repr=False)

    @staticmethod
    def build(runs: Iterable[Run], window: int | None, heads: int) -> Blocks:
        if window is not None and window <= SMALL_WINDOW:
            return Blocks([_band(runs, window)])
        return Blocks([block for run in runs for block in (*_prefix(run, window), *_suffixes(run, window, heads))])

    @staticmethod
    def of_suffixes(runs: Sequence[Run], window: int | None, heads: int) -> Blocks:
        """Where the prefixes are known already: queries are numbered as if there were none, keys as in `build`."""
        if window is not None and window <= SMALL_WINDOW:
            return Blocks([_band(runs, window, with_prefixes=False)])
        found, skipped = [], 0
        for run in runs:
            skipped += run[1]
            found += [replace(b, queries=b.queries - skipped, _made={}) for b in _suffixes(run, window, heads)]
        return Blocks(found)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """query (1, H, T, D), key and value (1, Hkv, T, D) -> (1, T, H, D)."""
        states = (state[0].transpose(0, 1) for state in (query, key, value))
        return _Attention.apply(*states, self, scaling)[None]  # pyright: ignore[reportOptionalSubscript, reportReturnType]

    def put_back(self, pieces: list[Tensor], heads: Heads) -> Tensor:
        """For each block (R * Hkv, Q * share, D) -> (T, H, D)."""
        if heads not in self._back:
            rows = torch.cat([block.rows_of_queries(heads)[block.real(heads)] for block in self.blocks])
            starts = torch.tensor([0, *(len(block.rows_of_queries(heads)) for block in self.blocks)]).cumsum(0)
            places = torch.cat([start + block.real(heads) for start, block in zip(starts, self.blocks, strict=False)])
            self._back[heads] = torch.empty_like(rows).index_copy_(0, rows, places)
        flat = [piece.view(-1, piece.shape[-1]) for piece in pieces]
        found = (flat[0] if len(flat) == 1 else torch.cat(flat)).index_select(0, self._back[heads])
        return found.view(-1, heads.key_value * heads.share, found.shape[-1])


class _Attention(torch.autograd.Function):
    """query (T, H, D), key and value (T, Hkv, D) -> (T, H, D)."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, blocks: Blocks, scaling: float) -> Tensor:
        is_kept = query.shape[2] <= SMALL_HEAD and any(ctx.needs_input_grad)
        heads, found, kept = Heads(key.shape[1], query.shape[1] // key.shape[1]), [], []
        with torch.autocast("cpu", enabled=False):
            for block in blocks.blocks:
                parts = _parts(block, heads, query, key, value, scaling)
                found.append(torch.bmm(parts[3], parts[2]))
                kept += parts if is_kept else ()
        ctx.save_for_backward(query, key, value, *kept)
        ctx.blocks, ctx.heads, ctx.scaling = blocks, heads, scaling
        return blocks.put_back(found, heads).to(query.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        query, key, value, *kept = ctx.saved_tensors
        heads, of_query, wide = ctx.heads, [], torch.promote_types(query.dtype, torch.float32)
        of_key, of_value = (torch.zeros(key.shape, dtype=wide).view(-1, key.shape[2]) for _ in range(2))
        for at, block in enumerate(ctx.blocks.blocks):
            q, k, v, shares = kept[4 * at : 4 * at + 4] or _parts(block, heads, query, key, value, ctx.scaling)
            slope = _taken(grad, block.rows_of_queries(heads)).to(wide)
            slope = block.pieces(slope.index_fill_(0, block.pads(heads), 0.0), heads)
            at_keys = block.rows_of_keys(heads)
            of_value.index_add_(0, at_keys, torch.bmm(shares.transpose(1, 2), slope).view(-1, v.shape[2]))
            slope = torch.ops.aten._softmax_backward_data(torch.bmm(slope, v.transpose(1, 2)), shares, -1, wide)
            of_query.append(torch.bmm(slope, k).mul_(ctx.scaling))
            of_key.index_add_(0, at_keys, torch.bmm(slope.transpose(1, 2), q).view(-1, q.shape[2]))
        slopes = (
            ctx.blocks.put_back(of_query, heads),
            of_key.mul_(ctx.scaling).view(key.shape),
            of_value.view(value.shape),
        )
        return *(slope.to(query.dtype) for slope in slopes), None, None


def _parts(
    block: Block, heads: Heads, query: Tensor, key: Tensor, value: Tensor, scaling: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A block's queries, keys, values and shares, (R * Hkv, Q * share or L, D or L) each, in full precision."""
    wide = torch.promote_types(query.dtype, torch.float32)
    q = block.pieces(_taken(query, block.rows_of_queries(heads)).to(wide), heads)
    k, v = (block.pieces(_taken(states, block.rows_of_keys(heads)).to(wide), heads) for states in (key, value))
    scores = torch.baddbmm(block.bias(heads, wide), q, k.transpose(1, 2), alpha=scaling)
    return q, k, v, torch.softmax(scores, -1)


def _taken(states: Tensor, rows: Tensor) -> Tensor:
    """(T, H, D) -> (N, D): some of the T * H rows."""
    return states.reshape(-1, states.shape[-1]).index_select(0, rows)


def _prefix(run: Run, window: int | None) -> Iterator[Block]:
    start, prefix, _ = run
    for first in range(0, prefix, QUERIES):
        queries = torch.arange(first, min(prefix, first + QUERIES))
        keys = torch.arange(0 if window is None else max(0, first - window + 1), int(queries[-1]) + 1)
        seen = _sees(queries, keys, window)
        yield Block(
            start + queries[None], start + keys[None], seen[None], torch.ones(1, len(queries), dtype=torch.bool)
        )


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
        yield Block(own, torch.cat([tail, own], 1), seen[None], place < length)


def _band(runs: Iterable[Run], window: int, *, with_prefixes: bool = True) -> Block:
    """Each stretch, prefix or suffix, in pieces of `FEW_QUERIES`; the first tokens of a suffix see the last of the prefix."""
    width = FEW_QUERIES + window - 1
    offset, place = torch.arange(width), torch.arange(FEW_QUERIES)
    near = _sees(place + window - 1, offset, window)
    queries, keys, seen, is_real = [], [], [], []
    skipped = 0
    for start, prefix, lengths in runs:
        stretches = [(start, prefix, 0)] if with_prefixes else []
        skipped += 0 if with_prefixes else prefix
        at = start + prefix
        for length in lengths:
            stretches.append((at, length, min(prefix, window - 1)))
            at += length
        for first, length, halo in stretches:
            piece = torch.arange(0, length, FEW_QUERIES)[:, None]
            queries.append(first - skipped + (piece + place).clamp(max=length - 1))
            is_real.append(piece + place < length)
            relative = piece - (window - 1) + offset
            inside = first + relative.clamp(min=0, max=length - 1)
            before = (start + prefix + relative).clamp(min=start)
            keys.append(torch.where(relative >= 0, inside, before if halo else inside))
            seen.append(near & (relative >= -halo)[:, None])
    return Block(torch.cat(queries), torch.cat(keys), torch.cat(seen), torch.cat(is_real))


def _sees(queries: Tensor, keys: Tensor, window: int | None) -> Tensor:
    """(Q, L): whether a query at one position sees a key at another."""
    distance = queries[:, None] - keys
    return distance >= 0 if window is None else (distance >= 0) & (distance < window)
