"""Attention for packs: one schema prefix, many requests after it, computed once.

A packed sequence holds one or more groups; a group is a prefix of P tokens and
K suffixes. A suffix token sees its prefix and its own suffix, never another
suffix. Distances, sliding windows included, are counted in *positions* (a
suffix starts at position P whatever its index), so results equal row by row.

The function is registered with transformers as ``prefix_shared``. Without a
`layout` it is plain SDPA, so the same model still serves padded batches and
`generate`. Packs are computed in blocks on a CPU; on a GPU by FlexAttention where it can be (see `flex_choice`), else by SDPA.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from astudent.student import flex_choice
from astudent.student.blocks import Blocks, Run
from astudent.student.flex import SparseBlocks

PREFIX_SHARED = "prefix_shared"


class AttentionLayout(Protocol):
    """What tells `prefix_shared` how the tokens of one call see each other."""

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """query (B, H, T, D), key and value (B, Hkv, T, D) -> (B, T, H, D)."""
        ...


@dataclass
class Group:
    """One prefix and its ragged suffixes inside a packed sequence of T tokens.

    `gather` (K * S,) holds the packed index of suffix token (k, s), S being the
    longest suffix; a pad points at its row's last token and is dropped by
    `keep` (sum of lengths,), the positions of real tokens in the (K, S) grid.
    """

    start: int
    prefix: int
    lengths: list[int]
    gather: Tensor
    keep: Tensor

    @property
    def longest(self) -> int:
        return max(self.lengths)

    @property
    def end(self) -> int:
        return self.start + self.prefix + sum(self.lengths)

    @staticmethod
    def build(start: int, prefix: int, lengths: list[int]) -> Group:
        longest, gather, keep, at = max(lengths), [], [], start + prefix
        for k, length in enumerate(lengths):
            gather.append((at + torch.arange(longest)).clamp(max=at + length - 1))
            keep.append(k * longest + torch.arange(length))
            at += length
        return Group(start, prefix, lengths, torch.cat(gather), torch.cat(keep))


@dataclass
class PackLayout:
    """The groups of one packed sequence, and what is derived from them once per batch."""

    groups: list[Group]
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @staticmethod
    def alone(length: int) -> PackLayout:
        """One ordinary sequence: its last token is the only suffix."""
        return PackLayout([Group.build(0, length - 1, [1])])

    def to(self, device: torch.device | str, non_blocking: bool = False) -> PackLayout:
        """The same layout with its index tensors on `device`."""
        device = torch.device(device)
        if device == self.device:
            return self
        moved = [
            Group(g.start, g.prefix, g.lengths, g.gather.to(device, non_blocking=non_blocking), g.keep.to(device))
            for g in self.groups
        ]
        return PackLayout(moved, device)

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """One sequence: query (1, H, T, D), key and value (1, Hkv, T, D) -> (1, T, H, D)."""
        kind = flex_choice.Kind.of(query, key, scaling)
        if not dropout and flex_choice.takes_flex(kind):
            try:
                return self.sparse_blocks(window).attend(query, key, value, scaling)
            except Exception as error:
                if not flex_choice.is_of_compiler(error):
                    raise
                flex_choice.give_up(kind, error)
        if not dropout and query.device.type == "cpu":
            return self.blocks(window, query.shape[1]).attend(query, key, value, scaling)
        return self.attend_by_sdpa(query, key, value, window, scaling, dropout)

    def attend_by_sdpa(
        self, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """The same, a group at a time."""
        parts = [
            part for g in self.groups for part in self._attend_group(g, query, key, value, window, scaling, dropout)
        ]
        return torch.cat(parts, 2).transpose(1, 2)

    def blocks(self, window: int | None, heads: int) -> Blocks:
        """What the layers of one window compute on a CPU, built once per batch."""
        at = ("blocks", window, heads)
        if at not in self._cache:
            self._cache[at] = Blocks.build(self._runs(), window, heads)
        return self._cache[at]

    def sparse_blocks(self, window: int | None) -> SparseBlocks:
        """What FlexAttention visits in the layers of one window, built once per batch."""
        at = ("sparse", window)
        if at not in self._cache:
            self._cache[at] = SparseBlocks.build(self._runs(), window, self.device)
        return self._cache[at]

    def _runs(self) -> list[Run]:
        return [(g.start, g.prefix, g.lengths) for g in self.groups]

    def _attend_group(
        self, g: Group, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> tuple[Tensor, Tensor]:
        own = slice(g.start, g.start + g.prefix)
        k, v = key[:, :, own], value[:, :, own]
        options: dict[str, Any] = {"scale": scaling, "dropout_p": dropout}
        if window is None or g.prefix <= window:
            q, k_full, v_full = _fold(query[:, :, own], k, v)
            head = F.scaled_dot_product_attention(q, k_full, v_full, is_causal=True, **options)
        else:
            mask = self._prefix_mask(g.prefix, window)
            q, k_full, v_full = _fold(query[:, :, own], k, v)
            head = F.scaled_dot_product_attention(q, k_full, v_full, attn_mask=mask, **options)
        return head, self.attend_suffixes(g, query, key, value, k, v, window, options)

    def attend_suffixes(
        self,
        g: Group,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        prefix_key: Tensor,
        prefix_value: Tensor,
        window: int | None,
        options: dict[str, Any],
    ) -> Tensor:
        """The K suffixes as a batch over [visible prefix keys | own keys] -> (1, H, sum of lengths, D)."""
        _, heads, _, dim = query.shape
        kv_heads, rows, longest = key.shape[1], len(g.lengths), g.longest
        share = heads // kv_heads
        seen, mask = self._suffix_mask(g, window, share)
        # Query heads that share a key head are folded into the length axis: keys are never repeated.
        q = query[0].index_select(1, g.gather).view(kv_heads, share, rows, longest, dim).permute(2, 0, 1, 3, 4)
        k = key[0].index_select(1, g.gather).view(kv_heads, rows, longest, dim).transpose(0, 1)
        v = value[0].index_select(1, g.gather).view(kv_heads, rows, longest, dim).transpose(0, 1)
        first = g.prefix - seen
        k = torch.cat([prefix_key[:, :, first:].expand(rows, -1, -1, -1), k], 2)
        v = torch.cat([prefix_value[:, :, first:].expand(rows, -1, -1, -1), v], 2)
        q = q.reshape(rows, kv_heads, share * longest, dim)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, **options)
        out = out.view(rows, kv_heads, share, longest, dim).permute(1, 2, 0, 3, 4)
        return out.reshape(1, heads, rows * longest, dim).index_select(2, g.keep)

    def _suffix_mask(self, g: Group, window: int | None, share: int) -> tuple[int, Tensor]:
        """(prefix keys that any suffix query may see, mask (1, 1, share * S, seen + S))."""
        at = ("suffix", g.prefix, g.longest, window, share)
        if at not in self._cache:
            seen = g.prefix if window is None else min(g.prefix, window - 1)
            query = torch.arange(g.longest, device=self.device)[:, None] + seen
            distance = query - torch.arange(seen + g.longest, device=self.device)[None]
            mask = distance >= 0 if window is None else (distance >= 0) & (distance < window)
            self._cache[at] = (seen, mask.repeat(share, 1)[None, None])
        return self._cache[at]

    def _prefix_mask(self, prefix: int, window: int) -> Tensor:
        at = ("prefix", prefix, window)
        if at not in self._cache:
            index = torch.arange(prefix, device=self.device)
            distance = index[:, None] - index[None]
            self._cache[at] = ((distance >= 0) & (distance < window))[None, None]
        return self._cache[at]


def _fold(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Keys and values repeated to the query's heads (used for the prefix only, which is computed once)."""
    share = query.shape[1] // key.shape[1]
    if share == 1:
        return query, key, value
    return query, key.repeat_interleave(share, 1), value.repeat_interleave(share, 1)


def prefix_shared_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    layout: AttentionLayout | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface; without a layout this is its own SDPA."""
    if layout is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    return layout.attend(module, query, key, value, sliding_window, scale, dropout).contiguous(), None


AttentionInterface.register(PREFIX_SHARED, prefix_shared_attention)
AttentionMaskInterface.register(PREFIX_SHARED, sdpa_mask)


def ready_mask() -> Tensor:
    """A 4D stand-in: transformers takes a 4D mask as ready-made and builds none; the layout does the work."""
    return torch.ones(1, 1, 1, 1, dtype=torch.bool)
