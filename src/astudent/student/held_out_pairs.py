"""Pairs that preference tuning never sees: does it prefer the right answer there too?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from astudent.evaluation.statistics import paired_bootstrap
from astudent.student.batching import Batcher, Unit
from astudent.student.load import Student
from astudent.student.loss import token_losses
from astudent.student.rows import draw


def split_pairs(units: Sequence[Unit], share: float, seed: int) -> tuple[list[Unit], list[Unit]]:
    """(trained on, held out), by request: all pairs of one request go the same way. One request alone is trained on."""
    draws = {unit[0].row_id: draw(seed, unit[0].row_id) for unit in units}
    last = min(draws, key=lambda row_id: draws[row_id])
    held_out = {row_id for row_id, place in draws.items() if place < share or (share > 0 and row_id == last)}
    if len(held_out) == len(draws):
        held_out = set()
    return [u for u in units if u[0].row_id not in held_out], [u for u in units if u[0].row_id in held_out]


@dataclass(frozen=True)
class HeldOutPairs:
    """The pairs, and the losses of their tokens under the reference."""

    units: Sequence[Unit]
    batcher: Batcher
    reference: Sequence[Tensor]

    @classmethod
    def of(cls, student: Student, units: Sequence[Unit], batcher: Batcher) -> HeldOutPairs:
        """`student` holds the reference's adapter now."""
        return cls(units, batcher, unit_losses(student, units, batcher) if units else [])

    def margins(self, student: Student) -> dict[str, Any] | None:
        """By how much more than the reference `student` prefers chosen to rejected answers (nats a pair, weighted as in training).

        Their mean, its 95% interval over whole schemas, and the share of pairs above 0; None without pairs.
        """
        if not self.units:
            return None
        ours = unit_losses(student, self.units, self.batcher)
        margins = [_margin(*pair) for pair in zip(self.units, ours, self.reference, strict=True)]
        interval = paired_bootstrap(margins, [unit[0].schema_id for unit in self.units])
        return {
            "pairs": len(margins),
            "margin": sum(margins) / len(margins),
            "interval": [interval.low, interval.high],
            "preferred": sum(margin > 0 for margin in margins) / len(margins),
        }


def _margin(unit: Unit, ours: Tensor, reference: Tensor) -> float:
    """Both (T,): losses of the chosen answer's tokens, then of the rejected one's."""
    chosen, rejected = unit
    weights = torch.cat([torch.from_numpy(chosen.weights), -torch.from_numpy(rejected.weights)])
    return ((reference - ours) * weights).sum().item()


@torch.no_grad()
def unit_losses(student: Student, units: Sequence[Unit], batcher: Batcher) -> list[Tensor]:
    """For each unit the losses of its rows' supervised tokens, one after the other, under the model as it is."""
    was_training = student.model.training
    student.model.eval()
    batches, order = batcher.micro_batches(units)
    losses = [token_losses(student.model, batch.to(student.device)).cpu() for batch in batches]
    student.model.train(was_training)
    sizes = [sum(len(row.roles) for row in units[index]) for index in order]
    found: list[Tensor] = [torch.empty(0)] * len(units)
    for index, part in zip(order, torch.cat(losses).split(sizes), strict=True):
        found[index] = part
    return found
