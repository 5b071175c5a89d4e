"""Batches: packs that hold a schema's prefix once, or plain padded rows; and the order in which rows are visited.

A *unit* is what must stay together: one row in supervised training, (chosen, rejected) in preference tuning. An
optimizer step holds exactly `rows_per_step` units; inside it, micro-batches are cut by a budget of tokens.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from transformers.trainer_pt_utils import BatchRebalanceSampler

from astudent.student.attention import Group, PackLayout
from astudent.student.supervision import Encoded

Unit = tuple[Encoded, ...]


@dataclass
class TokenBatch:
    """One forward call: R rows with N supervised tokens in all.

    `input_ids` and `position_ids` are (1, T) when packed and (B, T) when padded; `layout` is None when padded,
    `attention_mask` None when packed. The rest is (N,): `predict_at` is the flat index of the position whose hidden
    state predicts the token, `targets` its id, `roles`, `weights`, and `rows` the row (0..R-1) it belongs to.
    `is_repair` is (R,). `images` holds what a vision-language model takes beside, under the names of its arguments; such
    a model counts positions itself.
    """

    input_ids: Tensor
    position_ids: Tensor | None
    attention_mask: Tensor | None
    layout: PackLayout | None
    predict_at: Tensor
    targets: Tensor
    roles: Tensor
    weights: Tensor
    rows: Tensor
    is_repair: Tensor
    images: dict[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> TokenBatch:
        """The same batch on `device`."""
        moved = {
            name: value.to(device, non_blocking=non_blocking)
            for name, value in vars(self).items()
            if isinstance(value, (Tensor, PackLayout))
        }
        images = {name: value.to(device, non_blocking=non_blocking) for name, value in self.images.items()}
        return replace(self, **moved, images=images)

    @property
    def row_count(self) -> int:
        return len(self.is_repair)


@dataclass
class StepBatch:
    """All micro-batches of one optimizer step; `units` are the data set's indices in the order of the rows."""

    parts: Sequence[TokenBatch]
    units: list[int]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> StepBatch:
        """The same step on `device`."""
        return StepBatch([part.to(device, non_blocking) for part in self.parts], self.units)


def shared_prefix(rows: Sequence[Encoded]) -> int:
    """Length of the longest prefix of tokens that all rows share, and that leaves each an unsupervised token of its own.

    The first token of a suffix is then never a target, so the prediction from the prefix's last token, which all
    rows share, is never asked for.
    """
    limit = min(row.prompt_length for row in rows) - 1
    first = rows[0].input_ids[:limit]
    for row in rows[1:]:
        differs = np.flatnonzero(first[:limit] != row.input_ids[:limit])
        if len(differs):
            limit = int(differs[0])
    return limit


def pack(packs: Sequence[Sequence[Encoded]]) -> TokenBatch:
    """Several packs (each the rows of one schema) as one sequence."""
    ids, positions, columns, groups = [], [], _Columns(), []
    at = 0
    for rows in packs:
        prefix = shared_prefix(rows)
        groups.append(Group.build(at, prefix, [len(row) - prefix for row in rows]))
        ids.append(rows[0].input_ids[:prefix])
        positions.append(np.arange(prefix))
        at += prefix
        for row in rows:
            ids.append(row.input_ids[prefix:])
            positions.append(np.arange(prefix, len(row)))
            columns.add(row, at - prefix)
            at += len(row) - prefix
    sequence = torch.from_numpy(np.concatenate(ids).astype(np.int64))[None]
    places = torch.from_numpy(np.concatenate(positions))[None]
    return columns.batch(sequence, places, None, PackLayout(groups))


def pad(rows: Sequence[Encoded], pad_id: int) -> TokenBatch:
    """Rows of any schema, padded on the right, computed one by one as any trainer does."""
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), pad_id, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    columns = _Columns()
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.from_numpy(row.input_ids.astype(np.int64))
        mask[index, : len(row)] = 1
        columns.add(row, index * longest)
    places = torch.arange(longest)[None].expand(len(rows), -1)
    return columns.batch(ids, places, mask, None)


class _Columns:
    """Collects what a TokenBatch holds for each supervised token."""

    def __init__(self) -> None:
        self.rows: list[Encoded] = []
        self.predict_at: list[np.ndarray] = []

    def add(self, row: Encoded, start: int) -> None:
        """`start` is the flat index at which the row's position 0 would stand."""
        self.rows.append(row)
        self.predict_at.append(np.arange(start + row.prompt_length - 1, start + len(row) - 1))

    def batch(self, ids: Tensor, places: Tensor, mask: Tensor | None, layout: PackLayout | None) -> TokenBatch:
        counts = [len(row.roles) for row in self.rows]
        return TokenBatch(
            input_ids=ids,
            position_ids=places,
            attention_mask=mask,
            layout=layout,
            predict_at=torch.from_numpy(np.concatenate(self.predict_at)),
            targets=torch.from_numpy(
                np.concatenate([r.input_ids[r.prompt_length :] for r in self.rows]).astype(np.int64)
            ),
            roles=torch.from_numpy(np.concatenate([r.roles for r in self.rows]).astype(np.int64)),
            weights=torch.from_numpy(np.concatenate([r.weights for r in self.rows])),
            rows=torch.from_numpy(np.repeat(np.arange(len(self.rows)), counts)),
            is_repair=torch.tensor([row.is_repair for row in self.rows]),
        )


@dataclass(frozen=True)
class Batcher:
    """Cuts units into micro-batches of at most about `token_budget` tokens.

    With `packed` false every row stands alone, padded, at most `plain_rows` of them together; the pads count.
    """

    packed: bool
    pad_id: int
    token_budget: int
    plain_rows: int = 8

    def micro_batches(self, units: Sequence[Unit]) -> tuple[list[TokenBatch], list[int]]:
        """The batches, and the positions in `units` in the order in which the batches hold them."""
        groups = list(self._groups(units))
        batches = [self._batch([[row for i in pack_ for row in units[i]] for pack_ in group]) for group in groups]
        return batches, [i for group in groups for pack_ in group for i in pack_]

    def _batch(self, packs: list[list[Encoded]]) -> TokenBatch:
        return pack(packs) if self.packed else pad([row for rows in packs for row in rows], self.pad_id)

    def _groups(self, units: Sequence[Unit]) -> Iterator[list[list[int]]]:
        """Lists of packs (positions in `units`), each list one micro-batch."""
        group: list[list[int]] = []
        used = 0
        for part in self._packs(units):
            cost = self._cost([row for i in part for row in units[i]])
            if group and used + cost > self.token_budget:
                yield group
                group, used = [], 0
            group.append(part)
            used += cost
        if group:
            yield group

    def _packs(self, units: Sequence[Unit]) -> Iterator[list[int]]:
        if not self.packed:
            yield from self._padded(units)
            return
        by_schema: dict[str, list[int]] = {}
        for index, unit in enumerate(units):
            by_schema.setdefault(unit[0].schema_id, []).append(index)
        for members in by_schema.values():
            yield from _within_budget(members, units, self.token_budget)

    def _padded(self, units: Sequence[Unit]) -> Iterator[list[int]]:
        """By length, so that pads are few."""
        part: list[int] = []
        longest = 0
        for index in sorted(range(len(units)), key=lambda i: len(units[i][0])):
            longest = max(longest, *map(len, units[index]))
            rows = (len(part) + 1) * len(units[index])
            if part and (rows > self.plain_rows or rows * longest > self.token_budget):
                yield part
                part, longest = [], max(map(len, units[index]))
            part.append(index)
        if part:
            yield part

    def _cost(self, rows: Sequence[Encoded]) -> int:
        if not self.packed:
            return self.token_budget
        prefix = shared_prefix(rows)
        return prefix + sum(len(row) - prefix for row in rows)


def _within_budget(members: list[int], units: Sequence[Unit], budget: int) -> Iterator[list[int]]:
    """One schema's units, cut where a pack would outgrow the budget."""
    part: list[int] = []
    used = prefix = max(1, min(row.prompt_length for i in members for row in units[i]) // 2)
    for index in members:
        cost = sum(len(row) - prefix for row in units[index])
        if part and used + cost > budget:
            yield part
            part, used = [], prefix
        part.append(index)
        used += cost
    if part:
        yield part


def _chunks(items: Iterable[int], size: int) -> Iterator[list[int]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


class SchemaSampler(BatchRebalanceSampler):
    """Yields the indices of each optimizer step: exactly `per_step` of them, in runs of `share` that share a schema.

    The order is a function of the seed and the epoch. The last step of an epoch is filled up from the epoch's own
    beginning. With several processes each takes its part of every step (transformers leaves a subclass of
    BatchRebalanceSampler as it is, and asks it to know its rank).
    """

    def __init__(  # pyright: ignore[reportMissingSuperCall]
        self, schema_ids: Sequence[str], per_step: int, share: int, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        self.per_step, self.share, self.seed, self.rank, self.world = per_step, share, seed, rank, world
        self.schema_ids, self.size = schema_ids, len(schema_ids)
        self.epoch = 0
        self._by_schema: dict[str, list[int]] = {}
        for index, schema_id in enumerate(schema_ids):
            self._by_schema.setdefault(schema_id, []).append(index)

    def set_epoch(self, epoch: int) -> None:
        """The epoch whose order the next pass takes."""
        self.epoch = epoch

    def __len__(self) -> int:
        return max(1, -(-self.size // self.per_step))

    def __iter__(self) -> Iterator[list[int]]:
        order = self._order()
        while len(order) % self.per_step:
            order += order[: self.per_step - len(order) % self.per_step]
        for start in range(0, len(order), self.per_step):
            yield self._own(order[start : start + self.per_step])

    def _order(self) -> list[int]:
        rng = random.Random(f"{self.seed}/{self.epoch}")
        runs: list[list[int]] = []
        for members in self._by_schema.values():
            shuffled = rng.sample(members, len(members))
            runs += _chunks(shuffled, self.share)
        rng.shuffle(runs)
        return [index for run in runs for index in run]

    def _own(self, step: list[int]) -> list[int]:
        """This process's part of a step."""
        return step[own_stretch([self.schema_ids[index] for index in step], self.rank, self.world)]


def own_stretch(schema_ids: Sequence[str], rank: int, world: int) -> slice:
    """The part of a sequence of rows that is a process's own: none is empty where there are as many rows as processes.

    The parts are even, but a cut moves by up to a quarter of a part to where the schema changes: the prefix of a run
    that is cut in two is computed twice.
    """
    return slice(_cut(schema_ids, rank, world), _cut(schema_ids, rank + 1, world))


def _cut(schema_ids: Sequence[str], part: int, world: int) -> int:
    even, reach = len(schema_ids) * part // world, len(schema_ids) // world // 4
    near = sorted(range(even - reach, even + reach + 1), key=lambda at: abs(at - even))
    inside = 0 < even < len(schema_ids)
    return next((at for at in near if inside and schema_ids[at - 1] != schema_ids[at]), even)
