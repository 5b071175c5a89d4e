"""What packs are held against: transformers' own forward, one row at a time."""

from typing import Any

import torch

from astudent.student.batching import TokenBatch
from astudent.student.loss import token_losses


def _gradients(model: Any) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def row_by_row(model: Any, rows: list[Any]) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients by transformers' own forward, one row at a time, and torch's cross entropy."""
    model.zero_grad()
    total = torch.zeros((), dtype=torch.float64)
    for row in rows:
        ids = torch.from_numpy(row.input_ids.astype("int64"))[None].to(model.device)
        labels = torch.from_numpy(row.labels.astype("int64")).to(model.device)
        logits = model(input_ids=ids).logits[0]
        loss = torch.nn.functional.cross_entropy(logits[:-1], labels[1:], ignore_index=-100, reduction="sum")
        total = total + loss.cpu()
    total.backward()
    return total.item(), _gradients(model)


def in_batches(model: Any, batches: list[TokenBatch]) -> tuple[float, dict[str, torch.Tensor]]:
    """The same by this package, from packs or padded rows."""
    model.zero_grad()
    total = torch.zeros((), dtype=torch.float64)
    for batch in batches:
        total = total + token_losses(model, batch.to(model.device)).sum().cpu()
    total.backward()
    return total.item(), _gradients(model)


def assert_same(
    found: tuple[float, dict[str, torch.Tensor]], wanted: tuple[float, dict[str, torch.Tensor]], within: float = 1e-12
) -> None:
    """The loss within `within` of its size, and each LoRA matrix's gradient within `within` of that gradient's own norm."""
    assert abs(found[0] - wanted[0]) / wanted[0] < within
    assert found[1].keys() == wanted[1].keys()
    for name, gradient in wanted[1].items():
        assert "lora_" in name
        assert (found[1][name] - gradient).norm() / gradient.norm() < within, name
