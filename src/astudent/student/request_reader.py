"""The forward pass over requests whose schema's prefix is known: side by side, without pads, each row seeing its prefix and itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from astudent.student.attention import Group, PackLayout
from astudent.student.blocks import SMALL_WINDOW, Blocks, Run
from astudent.student.decoding import GROWTH, SharedPrefixDecoder, Store


class RequestReader:
    """Layout of the one call that takes the requests of several schemas, T tokens in all; `decoder` goes on from there.

    `stores` holds the recorded keys and values of each prefix, `lengths` the tokens of each request that follows it.
    Keys are numbered as in a pack, prefixes included; queries without them, since nothing asks on behalf of a prefix.
    """

    def __init__(self, stores: Sequence[Store], lengths: Sequence[Sequence[int]], device: torch.device) -> None:
        self.stores, self.device = list(stores), device
        self.runs: list[Run] = []
        begins, prefix_begins, at = [], [], 0
        for store, some in zip(stores, lengths, strict=True):
            prefix = next(iter(store.values()))[0].shape[2]
            self.runs.append((at, prefix, list(some)))
            begins += accumulate(some[:-1], initial=at + prefix)
            prefix_begins += [at] * len(some)
            at += prefix + sum(some)
        flat = [length for some in lengths for length in some]
        self.lengths, self.begins, self.prefix_begins = (
            torch.tensor(numbers, device=device) for numbers in (flat, begins, prefix_begins)
        )
        self.prefixes = torch.tensor([prefix for _, prefix, some in self.runs for _ in some], device=device)
        self._kept: dict[int, tuple[Tensor, Tensor, int | None]] = {}
        self._blocks: dict[int | None, Blocks] = {}

    @property
    def positions(self) -> Tensor:
        """(1, T): where each token stands in its own prompt."""
        return torch.cat([torch.arange(p, p + n) for _, p, some in self.runs for n in some])[None].to(self.device)

    @property
    def last(self) -> Tensor:
        """(B,): each request's last token among the T."""
        return self.lengths.cumsum(0) - 1

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float, dropout: float
    ) -> Tensor:
        """query (1, H, T, D), key and value (1, Hkv, T, D) -> (1, T, H, D)."""
        keys, values = (self._with_prefixes(module.layer_idx, which, own) for which, own in enumerate((key, value)))
        self._kept[module.layer_idx] = (keys, values, window)
        if query.device.type == "cpu":
            if window not in self._blocks:
                self._blocks[window] = Blocks.of_suffixes(self.runs, window, query.shape[1])
            return self._blocks[window].attend(query, keys, values, scaling)
        return self.attend_by_sdpa(module.layer_idx, query, key, value, window, scaling)

    def decoder(self) -> SharedPrefixDecoder:
        """What decodes the answers, with all that this pass has computed."""
        counts = [len(some) for _, _, some in self.runs]
        slots = torch.arange(int(self.lengths.max()), device=self.device)
        own_places = self.begins[:, None] + torch.minimum(slots, self.lengths[:, None] - 1)
        own: Store = {}
        rings: Store = {}
        for layer, (keys, values, window) in self._kept.items():
            if window is not None and window <= SMALL_WINDOW:
                ring = self._ring_places(window)
                rings[layer] = (_rows(keys, ring), _rows(values, ring))
            else:
                own[layer] = (_with_room(_rows(keys, own_places)), _with_room(_rows(values, own_places)))
        return SharedPrefixDecoder(self.stores, counts, self.prefixes, own, rings)

    def _ring_places(self, window: int) -> Tensor:
        """(B, window): the packed index of what stands in each place of a ring when slot `lengths` is the next.

        Slot s stands in place (s + window - 1) % window; the next slot's place, and what lies before the prompt, hold anything.
        """
        place = torch.arange(window, device=self.device)
        next_place = (self.lengths[:, None] + window - 1) % window
        age = (next_place - place) % window  # 1 for the last token, 0 for the place that the next one takes
        slot = self.lengths[:, None] - age
        inside = torch.minimum(slot, self.lengths[:, None] - 1) + self.begins[:, None]
        before = (self.prefix_begins + self.prefixes)[:, None] + slot
        return torch.where(slot >= 0, inside, torch.maximum(before, self.prefix_begins[:, None]))

    def _with_prefixes(self, layer: int, which: int, own: Tensor) -> Tensor:
        """(1, Hkv, T, D) -> the same with each prefix before its requests."""
        parts = own.split([sum(some) for _, _, some in self.runs], 2)
        return torch.cat(
            [t for store, part in zip(self.stores, parts, strict=True) for t in (store[layer][which], part)], 2
        )

    def attend_by_sdpa(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, window: int | None, scaling: float
    ) -> Tensor:
        """The same, a schema at a time, on any device."""
        parts, skipped, options = [], 0, {"scale": scaling, "dropout_p": 0.0}
        for store, (start, prefix, lengths) in zip(self.stores, self.runs, strict=True):
            skipped += prefix
            layout = PackLayout([Group.build(start - skipped, prefix, lengths)]).to(self.device)
            (group,) = layout.groups
            parts.append(layout.attend_suffixes(group, query, key, value, *store[layer], window, options))
        return torch.cat(parts, 2).transpose(1, 2)


def _rows(states: Tensor, places: Tensor) -> Tensor:
    """(1, Hkv, N, D) at packed indices (B, n) -> (B, Hkv, n, D)."""
    return states[0][:, places].transpose(0, 1).contiguous()


def _with_room(states: Tensor) -> Tensor:
    return F.pad(states, (0, 0, 0, GROWTH))
