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
        total = total + torch.nn.functional.cross_entropy(logits[:-1], labels[1:], ignore_index=-100, reduction="sum")
    total.backward()
    return total.item(), _gradients(model)


def in_batches(model: Any, batches: list[TokenBatch]) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    total = torch.zeros((), dtype=torch.float64)
    for batch in batches:
        total = total + token_losses(model, batch).sum()
    total.backward()
    return total.item(), _gradients(model)
