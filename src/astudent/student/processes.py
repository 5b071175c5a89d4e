"""The processes of one launch: joining them, sums over them, one's word for all. A single process passes unchanged.

Each process must come to the same calls in the same order; a call waits until all are there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import torch
from accelerate import PartialState
from torch import Tensor, distributed

from astudent.launch import is_first, process_count

WAIT = timedelta(hours=2)
"""Longest wait for a process that answers requests, saves or loads."""


def join() -> None:
    """Meets the other processes and takes this one's device; before a model is loaded, or all would load on GPU 0."""
    on_cpu = not torch.cuda.is_available()
    if process_count() > 1:
        if on_cpu:  # accelerate would say cpu:0, to which torch.load cannot bring an optimizer's state
            os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
        PartialState(cpu=on_cpu, timeout=WAIT)


def total(values: Tensor) -> Tensor:
    """Sums of `values` (any shape) over all processes, on the CPU."""
    return _reduced(values, distributed.ReduceOp.SUM)


def highest(values: tuple[float, ...]) -> tuple[float, ...]:
    """The highest of each value; one that is no number counts as infinite."""
    if process_count() == 1:
        return values
    sound = torch.tensor(values, dtype=torch.float64).nan_to_num(nan=torch.inf, posinf=torch.inf)
    return tuple(_reduced(sound, distributed.ReduceOp.MAX).tolist())


def of_first[T](action: Callable[[], T]) -> T:
    """What `action` gives in the first process, where alone it is done."""
    if process_count() == 1:
        return action()
    box = [action() if is_first() else None]
    distributed.broadcast_object_list(box)
    return box[0]  # pyright: ignore[reportReturnType]


def gathered[T](value: T) -> list[T]:
    """Each process's value, by rank."""
    if process_count() == 1:
        return [value]
    found: list[T | None] = [None] * process_count()
    distributed.all_gather_object(found, value)
    return found  # pyright: ignore[reportReturnType]


def wait() -> None:
    """Returns when all processes have come here."""
    if process_count() > 1:
        PartialState().wait_for_everyone()


def say(text: str) -> None:
    """Prints once, not once for each process."""
    if is_first():
        print(text, flush=True)


def _reduced(values: Tensor, operation: distributed.ReduceOp.RedOpType) -> Tensor:
    if process_count() == 1:
        return values
    there = values.to(PartialState().device, copy=True)  # NCCL takes nothing from the CPU
    distributed.all_reduce(there, operation)
    return there.cpu()
