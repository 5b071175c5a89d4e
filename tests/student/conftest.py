"""Shared by the tests of the student: few threads, and full precision where equality is asked for."""

import warnings
from typing import Any

import pytest

with warnings.catch_warnings():  # the libraries' own, while they are imported
    warnings.simplefilter("ignore")
    import torch
    import trl  # noqa: F401

torch.set_num_threads(1)


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers casts to float32 inside norms and rotary tables; in float64 that would be a step down."""
    original = torch.Tensor.float

    def keep_double(tensor: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        return tensor if tensor.dtype == torch.float64 else original(tensor, *args, **kwargs)

    move = torch.Tensor.to

    def keep_double_to(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        is_step_down = args == (torch.float32,) and tensor.dtype == torch.float64
        return tensor if is_step_down else move(tensor, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "float", keep_double)
    monkeypatch.setattr(torch.Tensor, "to", keep_double_to)
