"""Attention for generation: the prefix's keys and values once, all rows of a schema against them in one product."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

GROWTH = 64
"""Slots by which the rows' own keys and values grow."""


@dataclass
class PrefixRecorder:
    """Layout of the one forward pass over the prefix: plain causal attention that keeps keys and values.

    `store` maps a layer to (keys, values), each (1, Hkv, P, D).
    """

    store: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """query (1, H, P, D), key and value (1, Hkv, P, D) -> (1, P, H, D)."""
        self.store[module.layer_idx] = (key.contiguous(), value.contiguous())
        share = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(share, 1), value.repeat_interleave(share, 1)
        if window is None or query.shape[2] <= window:
            out = F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
        else:
            at = torch.arange(query.shape[2], device=query.device)
            distance = at[:, None] - at[None]
            seen = (distance >= 0) & (distance < window)
            out = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scaling)
        return out.transpose(1, 2)


class SharedPrefixDecoder:
    """Layout of decoding: B rows, each seeing the shared prefix (P positions) and its own tokens.

    A token at position P + s stands in slot s of its row, so pads of a short request are overwritten by the answer and
    nothing has to be remembered about them.
    """

    def __init__(self, store: dict[int, tuple[Tensor, Tensor]], rows: int, first_length: int) -> None:
        self.store = store
        self.prefix = next(iter(store.values()))[0].shape[2]
        self.rows = rows
        self.capacity = first_length + GROWTH
        self.own: dict[int, tuple[Tensor, Tensor]] = {}
        self.slots = torch.zeros(rows, 0, dtype=torch.long)
        self.used = 0
        self._masks: dict[int | None, tuple[Tensor | None, Tensor]] = {}

    def place(self, slots: Tensor) -> None:
        """Says where the tokens of the next call stand: slots (B, Q)."""
        self.slots, self.used = slots, int(slots.max()) + 1
        self._masks = {}
        if self.used > self.capacity:
            more = self.used - self.capacity + GROWTH
            self.own = {layer: (_grown(k, more), _grown(v, more)) for layer, (k, v) in self.own.items()}
            self.capacity += more

    def keep(self, rows: Tensor) -> None:
        """Drops all rows but these (n,)."""
        self.rows = len(rows)
        self.own = {i: (k.index_select(0, rows), v.index_select(0, rows)) for i, (k, v) in self.own.items()}

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """query (B, H, Q, D), key and value (B, Hkv, Q, D) -> (B, Q, H, D)."""
        rows, heads, length, dim = query.shape
        kv_heads = key.shape[1]
        share = heads // kv_heads
        own_key, own_value = self._append(module.layer_idx, key, value)
        prefix_key, prefix_value = self._visible_prefix(module.layer_idx, window)
        prefix_mask, own_mask = self._mask(window)
        folded = (query * scaling).view(rows, kv_heads, share, length, dim)
        flat = folded.transpose(0, 1).reshape(kv_heads, rows * share * length, dim)
        to_prefix = torch.matmul(flat, prefix_key[0].transpose(1, 2))  # one product for all rows
        to_prefix = to_prefix.view(kv_heads, rows, share, length, -1).transpose(0, 1)
        to_own = torch.matmul(folded.reshape(rows, kv_heads, share * length, dim), own_key.transpose(2, 3))
        to_own = to_own.view(rows, kv_heads, share, length, -1)
        if prefix_mask is not None:
            to_prefix = to_prefix.masked_fill(~prefix_mask[:, None, None], float("-inf"))
        scores = torch.cat([to_prefix, to_own.masked_fill(~own_mask[:, None, None], float("-inf"))], -1)
        wide = scores if scores.dtype == torch.float64 else scores.float()
        shares = torch.softmax(wide, -1).to(query.dtype)
        seen = prefix_key.shape[2]
        flat = shares[..., :seen].transpose(0, 1).reshape(kv_heads, rows * share * length, seen)
        out = torch.matmul(flat, prefix_value[0]).view(kv_heads, rows, share, length, dim).transpose(0, 1)
        tail = shares[..., seen:].reshape(rows, kv_heads, share * length, -1)
        out = out + torch.matmul(tail, own_value).view(rows, kv_heads, share, length, dim)
        return out.reshape(rows, heads, length, dim).transpose(1, 2)

    def _append(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Puts the call's keys and values into their slots; all slots in use, (B, Hkv, used, D) each."""
        if layer not in self.own:
            shape = (self.rows, key.shape[1], self.capacity, key.shape[3])
            self.own[layer] = (key.new_zeros(shape), value.new_zeros(shape))
        keys, values = self.own[layer]
        row = torch.arange(self.rows, device=key.device)[:, None]
        keys[row, :, self.slots] = key.transpose(1, 2)
        values[row, :, self.slots] = value.transpose(1, 2)
        return keys[:, :, : self.used], values[:, :, : self.used]

    def _visible_prefix(self, layer: int, window: int | None) -> tuple[Tensor, Tensor]:
        keys, values = self.store[layer]
        first = 0 if window is None else max(0, self.prefix - (window - 1))
        return keys[:, :, first:], values[:, :, first:]

    def _mask(self, window: int | None) -> tuple[Tensor | None, Tensor]:
        """What the call's tokens see of the prefix (B, Q, P') and of their own row (B, Q, used); None is everything."""
        if window not in self._masks:
            distance = self.slots[:, :, None] - torch.arange(self.used, device=self.slots.device)
            own, prefix = distance >= 0, None
            if window is not None:
                first = max(0, self.prefix - (window - 1))
                places = torch.arange(first, self.prefix, device=self.slots.device)
                prefix = (self.slots[:, :, None] + self.prefix - places) < window
                own = own & (distance < window)
            self._masks[window] = (prefix, own)
        return self._masks[window]


def _grown(tensor: Tensor, more: int) -> Tensor:
    return F.pad(tensor, (0, 0, 0, more))
