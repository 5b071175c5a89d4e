"""The self-check at the start of a run: packs against row by row, in the very model and backend that will train or answer.

Nothing that replaces attention or the head can make packs silently wrong: beyond tolerance, and where packs fail outright,
the run takes plain batches or transformers' own `generate`, and its log and artefacts say so. Several processes go by the
worst difference among them, so all take the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from astudent.errors import first_line
from astudent.generation import Generation
from astudent.student import flex_choice, processes
from astudent.student.batching import Batcher, TokenBatch, Unit, pad
from astudent.student.choosing import Row
from astudent.student.differences import largest_difference
from astudent.student.generate import Batch
from astudent.student.lean import make_lean, make_plain, plainly
from astudent.student.load import Student
from astudent.student.loss import base_of, install_token_losses, losses_of_logits, token_losses
from astudent.student.requests import requests_of
from astudent.student.supervision import ROLE_NAMES

TOLERANCE = {torch.float64: 1e-6, torch.float32: 2e-3, torch.bfloat16: 8e-2, torch.float16: 2e-2}
"""Largest relative difference of the gradient that counts as the same, by the base's dtype; a tenth for the loss."""
CHECKED_SCHEMAS, CHECKED_ROWS = 2, 3
CHECKED_TOKENS = 3
"""Tokens of an answer that are decoded before its states are compared a second time."""
BY_ROW = "each row by itself, as the configuration asks"
FAILURES = (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError)
"""What a backend that knows nothing of packs may raise when it meets one."""


@dataclass(frozen=True)
class AnswersCheck:
    """How answers will be decoded: against `shared` prefixes, or by transformers' own generate (`plain`); the largest relative difference of a state."""

    mode: str
    reason: str
    difference: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class CheckResult:
    """What a run will use: `packs`, `plain` batches or `full` logits, and the measured differences (relative).

    A frozen model has no gradient: the second difference is then that of its losses by role.
    """

    mode: str
    reason: str
    loss_difference: float | None
    gradient_difference: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def check(
    student: Student, units: Sequence[Unit], token_budget: int, *, shared: bool = True
) -> tuple[Batcher, CheckResult]:
    """The batcher that is right for this model, and why; packs only if `shared`. Leaves gradients and mode as they were."""
    packed, plain = Batcher(True, student.pad_id, token_budget), Batcher(False, student.pad_id, token_budget)
    if not student.can_pack:
        name = type(base_of(student.model)).__name__
        return plain, CheckResult("full", f"packs are not known to be exact for {name}", None, None)
    rows = _sample(units)
    make_plain(student.model)
    reference = _measure(student.model, [pad([row], student.pad_id) for row in rows], _by_logits(student.model))
    make_lean(student.model)
    what = "gradient" if _trainable(student.model) else "losses by role"
    faults = [] if shared else [BY_ROW]
    ways = {"packs": packed, "plain": plain} if shared else {"plain": plain}
    for mode, batcher in ways.items():
        batches = batcher.micro_batches([(row,) for row in rows])[0]
        fault = ""
        try:
            differences = _differences(reference, _measure(student.model, batches, _by_tokens(student.model)))
        except FAILURES as error:
            fault, differences = f"{mode} fail here: {first_line(error)}", (math.inf, math.inf)
        loss, gradient = processes.highest(differences)
        if gradient <= _tolerance(student.model) and loss <= _tolerance(student.model) / 10:
            by = " by FlexAttention" if mode == "packs" and flex_choice.in_use() else ""
            equal = f"equal row by row{by}: loss within {loss:.1e}, {what} within {gradient:.1e}"
            return batcher, CheckResult(mode, "; ".join(faults) or equal, loss, gradient)
        faults.append(fault or f"{mode} differ from row by row: loss by {loss:.1e}, {what} by {gradient:.1e}")
    make_plain(student.model)
    install_token_losses(student.model, "full")
    return plain, CheckResult("full", "; ".join(faults), None, None)


def check_batches(student: Student, units: Sequence[Any], batcher: Any) -> CheckResult:
    """Padded batches of a batcher against each row by itself and the model's own logits; beyond tolerance these are taken.

    For rows with images, whose places in a padded row no pack knows. Leaves gradients and mode as they were.
    """
    sample = list(units[: CHECKED_SCHEMAS * CHECKED_ROWS])
    alone = [batch for unit in sample for batch in batcher.micro_batches([unit])[0]]
    reference = _measure(student.model, alone, _by_logits(student.model))
    install_token_losses(student.model, "supervised")
    try:
        found = _measure(student.model, batcher.micro_batches(sample)[0], _by_tokens(student.model))
        loss, gradient = processes.highest(_differences(reference, found))
        fault = f"loss differs by {loss:.1e}, gradient by {gradient:.1e}"
    except FAILURES as error:
        loss = gradient = math.inf
        fault = f"they fail here: {first_line(error)}"
    if gradient <= _tolerance(student.model) and loss <= _tolerance(student.model) / 10:
        equal = f"equal row by row: loss within {loss:.1e}, gradient within {gradient:.1e}"
        return CheckResult("plain", equal, loss, gradient)
    install_token_losses(student.model, "full")
    return CheckResult("full", fault, None, None)


def check_answers(student: Student, prompts: Mapping[str, Sequence[str]], *, shared: bool = True) -> AnswersCheck:
    """Compares the states from which the first tokens of some answers are chosen with a plain forward of the same tokens.

    `prompts` are rendered, by schema id. Beyond tolerance, and unless `shared`, `student.decodes_packed` is taken back.
    """
    if not shared:
        student.decodes_packed = False
        return AnswersCheck("plain", BY_ROW, None)
    if not student.decodes_packed:
        name = type(base_of(student.model)).__name__
        return AnswersCheck("plain", f"decoding against shared prefixes is not known to be exact for {name}", None)
    was_training = student.model.training
    student.model.eval()
    try:
        difference = _states_differ(student, prompts)
        reason = f"states of answers within {difference:.1e} of a plain forward"
    except FAILURES as error:
        difference, reason = None, f"decoding against shared prefixes fails here: {first_line(error)}"
    finally:
        student.model.train(was_training)
    student.decodes_packed = difference is not None and difference <= _tolerance(student.model)
    return AnswersCheck("shared" if student.decodes_packed else "plain", reason, difference)


def _states_differ(student: Student, prompts: Mapping[str, Sequence[str]]) -> float:
    schemas = sorted(prompts.values(), key=len, reverse=True)[:CHECKED_SCHEMAS]
    batch = Batch(student, Generation(CHECKED_TOKENS + 1))
    batch.admit(dict(enumerate(r for texts in schemas for r in requests_of(student, texts[:CHECKED_ROWS], None))))
    pairs = _states(student, batch)
    for _ in range(CHECKED_TOKENS):
        if batch.rows:
            batch.step()
    return largest_difference(pairs + _states(student, batch))


@torch.no_grad()
def _states(student: Student, batch: Batch) -> list[tuple[Tensor, Tensor]]:
    """The last states (H,) of the rows that have not ended, each with a plain forward's."""

    def plain(row: Row) -> Tensor:
        ids = torch.tensor([row.asked.request.ids + row.tokens], device=student.device)
        return base_of(student.model).get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[0, -1]

    with plainly(student.model):
        return [(last, plain(row)) for row, last in zip(batch.rows, batch.last, strict=True) if not row.ended]


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
    """(sum of losses, gradient of all trainable weights) without dropout; gradients are cleared again.

    Of a frozen model the second is the loss of each role, (R,).
    """
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    by_role = torch.zeros(len(ROLE_NAMES), dtype=torch.float64)
    trainable = _trainable(model)
    try:
        for batch in batches:
            values = losses(batch.to(device))
            by_role.index_add_(0, batch.roles, values.detach().double().cpu())
            if trainable:
                values.sum().backward()
        slopes = [p.grad.detach().double().flatten().cpu() for p in trainable if p.grad is not None]
        return by_role.sum().item(), torch.cat(slopes) if trainable else by_role
    finally:
        for parameter in trainable:
            parameter.grad = None
        model.train(was_training)


def _trainable(model: Any) -> list[Any]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _differences(reference: tuple[float, Tensor], result: tuple[float, Tensor]) -> tuple[float, float]:
    loss = abs(result[0] - reference[0]) / max(abs(reference[0]), 1e-12)
    return loss, largest_difference([(result[1], reference[1])])


def _tolerance(model: Any) -> float:
    dtype = base_of(model).get_input_embeddings().weight.dtype
    return TOLERANCE.get(dtype, TOLERANCE[torch.bfloat16])
