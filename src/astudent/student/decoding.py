"""Attention for generation: each prefix's keys and values once, all rows of a schema against them in one product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from astudent.student.attention import PackLayout
from astudent.student.blocks import SMALL_WINDOW

GROWTH = 64
"""Slots by which the rows' own keys and values grow."""

Store = dict[int, tuple[Tensor, Tensor]]
"""Keys and values by layer."""


@dataclass
class PrefixRecorder:
    """Layout of the one forward pass over the prefix: plain causal attention that keeps keys and values.

    Those in `store` are (1, Hkv, P, D) each.
    """

    alone: PackLayout
    store: Store = field(default_factory=dict)

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """query (1, H, P, D), key and value (1, Hkv, P, D) -> (1, P, H, D)."""
        self.store[module.layer_idx] = (key.contiguous(), value.contiguous())
        return self.alone.attend(module, query, key, value, window, scaling, dropout)


class SharedPrefixDecoder:
    """Layout of decoding: B rows, each seeing its schema's prefix and its own tokens; rows of one prefix stand together.

    `stores` holds the recorded keys and values of each prefix, `counts` how many rows follow it, `prefixes` (B,) the length of
    each row's. A token at position P + s of a row whose prefix has P positions stands in slot s, so pads of a
    short request are overwritten by the answer and nothing has to be remembered about them. `own` holds the rows' own keys and values
    by slot, (B, Hkv, capacity, D) each. Layers with a small window keep what a row saw last in a ring of so many places
    (`rings`, (B, Hkv, window, D) each), the end of its prefix included, and never meet a whole prefix again.
    """

    def __init__(
        self, stores: Sequence[Store], counts: Sequence[int], prefixes: Tensor, own: Store, rings: Store
    ) -> None:
        self.stores, self.counts, self.prefixes = list(stores), list(counts), prefixes
        self.own, self.rings = own, rings
        self.capacity = next((key.shape[2] for key, _ in own.values()), 0)
        self.slots = torch.zeros(len(prefixes), 0, dtype=torch.long)
        self.used = 0
        self._masks: dict[int | None, tuple[Tensor | None, Tensor]] = {}
        self._ring_masks: dict[int, Tensor | None] = {}

    def place(self, slots: Tensor) -> None:
        """Says where the tokens of the next call stand: slots (B, 1)."""
        self.slots, self.used = slots, int(slots.max()) + 1
        self._masks, self._ring_masks = {}, {}
        if self.used > self.capacity:
            more = self.used - self.capacity + GROWTH
            self.own = {layer: (_grown(k, more), _grown(v, more)) for layer, (k, v) in self.own.items()}
            self.capacity += more

    def keep(self, rows: Tensor) -> None:
        """Drops all rows but these (n,), and the prefixes that no row follows any more.

        Rows of one prefix stay together and prefixes in their order; a row may be named several times, for ways to go on.
        """
        self.prefixes = self.prefixes[rows]
        self.own, self.rings = (
            {i: (k.index_select(0, rows), v.index_select(0, rows)) for i, (k, v) in kept.items()}
            for kept in (self.own, self.rings)
        )
        group = torch.arange(len(self.counts)).repeat_interleave(torch.tensor(self.counts))[rows.cpu()]
        counts = torch.bincount(group, minlength=len(self.counts)).tolist()
        self.stores = [store for store, count in zip(self.stores, counts, strict=True) if count]
        self.counts = [count for count in counts if count]

    def join(self, other: SharedPrefixDecoder) -> None:
        """Takes the rows of `other` in after its own, each with what it has decoded so far."""
        capacity = max(self.capacity, other.capacity)
        for layer, states in self.own.items():
            mine = [_grown(tensor, capacity - self.capacity) for tensor in states]
            theirs = [_grown(tensor, capacity - other.capacity) for tensor in other.own[layer]]
            key, value = (torch.cat(pair) for pair in zip(mine, theirs, strict=True))
            self.own[layer] = (key, value)
        for layer, states in self.rings.items():
            key, value = (torch.cat(pair) for pair in zip(states, other.rings[layer], strict=True))
            self.rings[layer] = (key, value)
        self.prefixes = torch.cat([self.prefixes, other.prefixes])
        self.stores, self.counts = self.stores + other.stores, self.counts + other.counts
        self.capacity = capacity

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """query (B, H, 1, D), key and value (B, Hkv, 1, D) -> (B, 1, H, D)."""
        rows, heads, length, dim = query.shape
        kv_heads = key.shape[1]
        folded = (query * scaling).view(rows, kv_heads, -1, length, dim)
        if window is not None and window <= SMALL_WINDOW:
            out = self._attend_ring(module.layer_idx, folded, key, value, window)
            return out.reshape(rows, heads, length, dim).transpose(1, 2)
        own_key, own_value = self._append(module.layer_idx, key, value)
        visible = [self._visible(store, module.layer_idx, window) for store in self.stores]
        prefix_mask, own_mask = self._mask(window)
        to_prefix = self._by_prefix(folded, [keys.transpose(1, 2) for keys, _ in visible], float("-inf"))
        to_own = torch.matmul(folded.reshape(rows, kv_heads, -1, dim), own_key.transpose(2, 3))
        to_own = to_own.view(*folded.shape[:-1], -1)
        if prefix_mask is not None:
            to_prefix = to_prefix.masked_fill(~prefix_mask[:, None, None], float("-inf"))
        scores = torch.cat([to_prefix, to_own.masked_fill(~own_mask[:, None, None], float("-inf"))], -1)
        wide = scores if scores.dtype == torch.float64 else scores.float()
        shares = torch.softmax(wide, -1).to(query.dtype)
        seen = to_prefix.shape[-1]
        out = self._by_prefix(shares[..., :seen], [values for _, values in visible], 0.0)
        tail = shares[..., seen:].reshape(rows, kv_heads, -1, shares.shape[-1] - seen)
        out = out + torch.matmul(tail, own_value).view(out.shape)
        return out.reshape(rows, heads, length, dim).transpose(1, 2)

    def _attend_ring(self, layer: int, folded: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
        """One token of each row against its ring, in which it takes the oldest place."""
        keys, values = self.rings[layer]
        row, at = torch.arange(len(keys), device=key.device), (self.slots[:, 0] + window - 1) % window
        keys[row, :, at] = key[:, :, 0]
        values[row, :, at] = value[:, :, 0]
        if window not in self._ring_masks:
            empty = self._empty(window - 1)
            place = self.slots + (torch.arange(window, device=key.device) - self.slots) % window  # (B, window)
            self._ring_masks[window] = (place >= empty[:, None])[:, None] if bool(empty.any()) else None
        return _attention(folded, keys, values, self._ring_masks[window])

    def _empty(self, tail: int) -> Tensor:
        """How many of the `tail` places before slot 0 are empty, (B,)."""
        return tail - self.prefixes.clamp(max=tail)

    def _by_prefix(self, states: Tensor, others: Sequence[Tensor], filling: float) -> Tensor:
        """states (B, Hkv, share, Q, n) times each prefix's (Hkv, n or fewer, m): one product for all rows of a prefix.

        The results are filled up to the widest m.
        """
        kv_heads, width, parts = states.shape[1], max(other.shape[2] for other in others), []
        for rows, other in zip(states.split(self.counts), others, strict=True):
            flat = rows[..., : other.shape[1]].transpose(0, 1).reshape(kv_heads, -1, other.shape[1])
            out = torch.matmul(flat, other).view(kv_heads, *rows.shape[:1], *rows.shape[2:4], -1).transpose(0, 1)
            parts.append(F.pad(out, (0, width - other.shape[2]), value=filling))
        return torch.cat(parts)

    def _append(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Puts the call's keys and values into their slots; all slots in use, (B, Hkv, used, D) each."""
        keys, values = self.own[layer]
        row = torch.arange(len(self.prefixes), device=key.device)[:, None]
        keys[row, :, self.slots] = key.transpose(1, 2)
        values[row, :, self.slots] = value.transpose(1, 2)
        return keys[:, :, : self.used], values[:, :, : self.used]

    @staticmethod
    def _visible(store: Store, layer: int, window: int | None) -> tuple[Tensor, Tensor]:
        """A prefix's last positions that the window may reach, (Hkv, n, D) each."""
        keys, values = store[layer]
        first = 0 if window is None else max(0, keys.shape[2] - (window - 1))
        return keys[0, :, first:], values[0, :, first:]

    def _mask(self, window: int | None) -> tuple[Tensor | None, Tensor]:
        """What the call's tokens see of the prefix (B, Q, n) and of their own row (B, Q, used); None is everything."""
        if window not in self._masks:
            distance = self.slots[:, :, None] - torch.arange(self.used, device=self.slots.device)
            own, prefix = distance >= 0, None
            if window is not None:
                reach = self.prefixes.clamp(max=window - 1)  # a row's visible prefix has this many positions
                place = torch.arange(int(reach.max()), device=self.slots.device)
                prefix = (self.slots[:, :, None] + reach[:, None, None] - place) < window
                own = own & (distance < window)
            self._masks[window] = (prefix, own)
        return self._masks[window]


def _attention(folded: Tensor, key: Tensor, value: Tensor, seen: Tensor | None) -> Tensor:
    """Scaled queries (B, Hkv, share, Q, D) against keys and values (B, Hkv, n, D) where `seen` (B, Q, n); all of them without it."""
    rows, kv_heads, *_, dim = folded.shape
    scores = torch.matmul(folded.reshape(rows, kv_heads, -1, dim), key.transpose(2, 3)).view(*folded.shape[:-1], -1)
    if seen is not None:
        scores = scores.masked_fill(~seen[:, None, None], float("-inf"))
    wide = scores if scores.dtype == torch.float64 else scores.float()
    shares = torch.softmax(wide, -1).to(folded.dtype)
    return torch.matmul(shares.view(rows, kv_heads, -1, shares.shape[-1]), value).view(folded.shape)


def _grown(tensor: Tensor, more: int) -> Tensor:
    return F.pad(tensor, (0, 0, 0, more))
