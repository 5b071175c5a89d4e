"""The forward pass over requests whose schema's prefix is known: side by side, without pads, each row seeing its prefix and itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from astudent.student.attention import Group, PackLayout
from astudent.student.blocks import SMALL_WINDOW, Blocks, Run
from astudent.student.decoding import SharedPrefixDecoder, Store


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
        self._own: Store = {}
        self._rings: Store = {}
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
        layer = module.layer_idx
        keys, values = (self._with_prefixes(layer, which, own) for which, own in enumerate((key, value)))
        if window is not None and window <= SMALL_WINDOW:
            self._rings[layer] = _rows(keys, values, self._ring_places(window))
        else:
            self._own[layer] = _rows(keys, values, self._own_places)
        if query.device.type == "cpu":
            if window not in self._blocks:
                self._blocks[window] = Blocks.of_suffixes(self.runs, window, query.shape[1])
            return self._blocks[window].attend(query, keys, values, scaling)
        return self.attend_by_sdpa(layer, query, key, value, window, scaling)

    def decoder(self) -> SharedPrefixDecoder:
        """What decodes the answers, with all that this pass has computed."""
        counts = [len(some) for _, _, some in self.runs]
        return SharedPrefixDecoder(self.stores, counts, self.prefixes, self._own, self._rings)

    @cached_property
    def _own_places(self) -> Tensor:
        """(B, longest): the packed index of each slot; a pad's is its request's last."""
        slots = torch.arange(int(self.lengths.max()), device=self.device)
        return self.begins[:, None] + torch.minimum(slots, self.lengths[:, None] - 1)

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
        options = {"scale": scaling, "dropout_p": 0.0}
        parts = [
            self._layout.attend_suffixes(group, query, key, value, *store[layer], window, options)
            for store, group in zip(self.stores, self._layout.groups, strict=True)
        ]
        return torch.cat(parts, 2).transpose(1, 2)

    @cached_property
    def _layout(self) -> PackLayout:
        """The requests numbered as the queries are: each group begins a prefix before its first request."""
        starts = [
            start - skipped
            for (start, *_), skipped in zip(self.runs, accumulate(p for _, p, _ in self.runs), strict=True)
        ]
        groups = [Group.build(at, prefix, some) for at, (_, prefix, some) in zip(starts, self.runs, strict=True)]
        return PackLayout(groups).to(self.device)


def _rows(keys: Tensor, values: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """(1, Hkv, N, D) each at packed indices (B, n) -> (B, Hkv, n, D) each."""
    of_keys, of_values = (states[0][:, places].transpose(0, 1).contiguous() for states in (keys, values))
    return of_keys, of_values
