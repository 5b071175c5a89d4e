"""Shared by the tests of the student: few threads, and full precision where equality is asked for."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest

with warnings.catch_warnings():  # the libraries' own, while they are imported
    warnings.simplefilter("ignore")
    import torch
    import trl  # noqa: F401

    from astudent.student import flex, flex_choice

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


@pytest.fixture
def nothing_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flex_choice, "_reasons", {})


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch, nothing_decided: None) -> Callable[[Any], None]:
    """FlexAttention is taken on this CPU too, computed by what is given."""

    def take(kernel: Any) -> None:
        monkeypatch.setattr(flex_choice, "why_not", lambda kind: "")
        monkeypatch.setattr(flex_choice, "trial", lambda kind: "")
        monkeypatch.setattr(flex, "kernel", lambda: kernel)

    return take
