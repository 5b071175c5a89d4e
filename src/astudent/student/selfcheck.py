"""The self-check at the start of a run: packs against row by row, in the very model and backend that will train.

Nothing that replaces attention or the head can make packs silently wrong: beyond tolerance the run takes plain batches,
and its log and artefacts say so. Several processes go by the worst difference among them, so all take the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from astudent.student import processes
from astudent.student.batching import Batcher, TokenBatch, Unit, pad
from astudent.student.lean import make_lean, make_plain
from astudent.student.load import Student
from astudent.student.loss import base_of, install_token_losses, losses_of_logits, token_losses

TOLERANCE = {torch.float64: 1e-6, torch.float32: 2e-3, torch.bfloat16: 8e-2, torch.float16: 2e-2}
"""Largest relative difference of the gradient that counts as the same, by the base's dtype; a tenth for the loss."""
CHECKED_SCHEMAS, CHECKED_ROWS = 2, 3


@dataclass(frozen=True)
class CheckResult:
    """What a run will use: `packs`, `plain` batches or `full` logits, and the measured differences (relative)."""

    mode: str
    reason: str
    loss_difference: float | None
    gradient_difference: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def check(student: Student, units: Sequence[Unit], token_budget: int) -> tuple[Batcher, CheckResult]:
    """The batcher that is right for this model, and why. Leaves gradients and mode as they were."""
    packed, plain = Batcher(True, student.pad_id, token_budget), Batcher(False, student.pad_id, token_budget)
    if not student.can_pack:
        name = type(base_of(student.model)).__name__
        return plain, CheckResult("full", f"packs are not known to be exact for {name}", None, None)
    rows = _sample(units)
    make_plain(student.model)
    reference = _measure(student.model, [pad([row], student.pad_id) for row in rows], _by_logits(student.model))
    make_lean(student.model)
    wrong = ""
    for mode, batcher in (("packs", packed), ("plain", plain)):
        result = _measure(student.model, batcher.micro_batches([(row,) for row in rows])[0], _by_tokens(student.model))
        loss, gradient = processes.highest(_differences(reference, result))
        if gradient <= _tolerance(student.model) and loss <= _tolerance(student.model) / 10:
            reason = wrong or f"equal row by row: loss within {loss:.1e}, gradient within {gradient:.1e}"
            return batcher, CheckResult(mode, reason, loss, gradient)
        wrong = wrong or f"packs differ from row by row: loss by {loss:.1e}, gradient by {gradient:.1e}"
    make_plain(student.model)
    install_token_losses(student.model, "full")
    return plain, CheckResult("full", wrong, None, None)


def _sample(units: Sequence[Unit]) -> list[Any]:
    by_schema: dict[str, list[Any]] = {}
    for unit in units:
        rows = by_schema.setdefault(unit[0].schema_id, [])
        if len(rows) < CHECKED_ROWS:
            rows.append(unit[-1])
    full = sorted(by_schema.values(), key=len, reverse=True)[:CHECKED_SCHEMAS]
    return [row for rows in full for row in rows]


def _by_logits(model: Any) -> Callable[[TokenBatch], Tensor]:
    plain = base_of(model)._plain_forward
    return lambda batch: losses_of_logits(plain, batch)


def _by_tokens(model: Any) -> Callable[[TokenBatch], Tensor]:
    return lambda batch: token_losses(model, batch)


def _measure(model: Any, batches: Sequence[TokenBatch], losses: Callable[[TokenBatch], Tensor]) -> tuple[float, Tensor]:
    """(sum of losses, gradient of all trainable weights) without dropout; gradients are cleared again."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    total = 0.0
    for batch in batches:
        value = losses(batch.to(device)).sum()
        value.backward()
        total += value.item()
    trainable = [p for p in model.parameters() if p.requires_grad]
    gradient = torch.cat([p.grad.detach().double().flatten().cpu() for p in trainable if p.grad is not None])
    for parameter in trainable:
        parameter.grad = None
    model.train(was_training)
    return total, gradient


def _differences(reference: tuple[float, Tensor], result: tuple[float, Tensor]) -> tuple[float, float]:
    loss = abs(result[0] - reference[0]) / max(abs(reference[0]), 1e-12)
    norm = reference[1].norm().clamp(min=1e-12)
    return loss, ((result[1] - reference[1]).norm() / norm).item()


def _tolerance(model: Any) -> float:
    dtype = base_of(model).get_input_embeddings().weight.dtype
    return TOLERANCE.get(dtype, TOLERANCE[torch.bfloat16])
