"""When packs take FlexAttention: what it needs, its trial, and what happens when it fails."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pack_shapes import SHAPES, dense, layout_of, states_of

from astudent.student import flex, flex_choice
from astudent.student.flex_choice import Kind

CUDA = Kind(torch.device("cuda", 0), torch.bfloat16, 4, 2, 64, 0.125)
CPU = Kind(torch.device("cpu"), torch.float32, 4, 2, 64, 0.125)


def have(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int] = (9, 0), triton: bool = True) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(flex_choice.importlib.util, "find_spec", lambda name: object() if triton else None)


def like(**changes: Any) -> Kind:
    return Kind(**{**vars(CUDA), **changes})


@pytest.mark.parametrize(
    ("kind", "machine", "reason"),
    [
        (CUDA, {}, ""),
        (like(head_dim=256), {}, ""),
        (like(dtype=torch.float32), {"capability": (8, 0)}, ""),
        (like(device=torch.device("cpu")), {}, "CUDA"),
        (like(dtype=torch.float64), {}, "float64"),
        (like(head_dim=12), {}, "12 dimensions"),
        (like(head_dim=320), {}, "320 dimensions"),
        (CUDA, {"triton": False}, "Triton is not installed"),
        (CUDA, {"capability": (7, 5)}, "GPU this old"),
    ],
)
def test_what_flex_attention_needs(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, machine: dict[str, Any], reason: str
) -> None:
    have(monkeypatch, **machine)
    found = flex_choice.why_not(kind)
    assert reason in found and bool(reason) == bool(found)


def test_compiling_switched_off_means_sdpa(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch)
    with torch._dynamo.config.patch(disable=True):
        assert "switched off" in flex_choice.why_not(CUDA)


@pytest.mark.usefixtures("nothing_decided")
def test_a_cpu_takes_blocks_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    layout = layout_of(SHAPES[1])
    layout.attend(None, *states_of(SHAPES[1], 4, 2, torch.float32), None, 0.25, 0.0)
    assert list(layout._cache) == [("blocks", None, 4)]
    assert not flex_choice.in_use()
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("nothing_decided")
def test_each_kind_is_tried_once_and_a_refusal_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = []
    have(monkeypatch)
    monkeypatch.setattr(flex_choice, "trial", lambda kind: tried.append(kind) or ("no luck" * (kind.head_dim > 64)))
    wide = like(head_dim=128)
    assert [flex_choice.takes_flex(kind) for kind in (CUDA, wide, CUDA, wide)] == [True, False, True, False]
    assert tried == [CUDA, wide]
    assert flex_choice.in_use()
    assert capsys.readouterr().err == "warning: packs take SDPA instead of FlexAttention: no luck\n"


def test_dropout_takes_sdpa(taken: Callable[[Any], None]) -> None:
    taken(lambda *states: pytest.fail("FlexAttention has no dropout"))
    layout_of(SHAPES[0]).attend(None, *states_of(SHAPES[0], 4, 2, torch.float32), None, 0.25, 0.1)


# -- trials and failures ------------------------------------------------------------------------------------------


class CompilerError(RuntimeError):
    """As an error of torch's compiler looks from outside."""

    __module__ = "torch._inductor.exc"


class SpoiltGradient(torch.autograd.Function):
    """The same states; their gradient is no number."""

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor) -> torch.Tensor:
        return states.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return grad * float("nan")


def raise_(error: Exception, *states: Any) -> Any:
    raise error


@pytest.mark.parametrize("kind", [CPU, Kind(torch.device("cpu"), torch.bfloat16, 9, 3, 64, 0.3)])
def test_a_trial_compares_results_and_gradients(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    monkeypatch.setattr(flex, "kernel", lambda: dense)
    assert flex_choice.trial(kind) == ""
    monkeypatch.setattr(flex, "kernel", lambda: lambda q, k, v, *rest: dense(q, k, v.detach() + 0.1 * v, *rest))
    assert "differs from SDPA" in flex_choice.trial(kind)
    monkeypatch.setattr(flex, "kernel", lambda: lambda *states: dense(*states) * float("nan"))
    assert "differs from SDPA by nan" in flex_choice.trial(kind)
    monkeypatch.setattr(flex, "kernel", lambda: lambda q, k, v, *rest: dense(q, k, SpoiltGradient.apply(v), *rest))
    assert "differs from SDPA by nan" in flex_choice.trial(kind), "one gradient alone, the last"


def test_a_trial_inside_a_checkpoint_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch, nothing_decided: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first layer of the first step, checkpointed: the trial comes in its forward pass and not in its second."""
    from torch.utils.checkpoint import checkpoint

    monkeypatch.setattr(flex_choice, "why_not", lambda kind: "")
    monkeypatch.setattr(flex, "kernel", lambda: dense)
    states = states_of(SHAPES[1], 4, 2, torch.float32)
    for state in states:
        state.requires_grad_()
    attend = functools.partial(layout_of(SHAPES[1]).attend, None)
    out: Any = checkpoint(attend, *states, 70, 0.25, 0.0, use_reentrant=False)
    found = torch.autograd.grad(out.square().sum(), states)
    wanted = torch.autograd.grad(layout_of(SHAPES[1]).attend_by_sdpa(*states, 70, 0.25, 0.0).square().sum(), states)
    assert flex_choice.in_use()
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("error", [CompilerError("no such instruction\nsecond line"), NotImplementedError("NYI")])
def test_a_trial_that_fails_gives_sdpa(
    monkeypatch: pytest.MonkeyPatch, nothing_decided: None, error: Exception
) -> None:
    monkeypatch.setattr(flex_choice, "why_not", lambda kind: "")
    monkeypatch.setattr(flex, "kernel", lambda: functools.partial(raise_, error))
    states, layout = states_of(SHAPES[1], 4, 2, torch.float32), layout_of(SHAPES[1])
    found = layout.attend(None, *states, 70, 0.25, 0.0)
    assert torch.allclose(found, layout.attend_by_sdpa(*states, 70, 0.25, 0.0), atol=1e-5)
    [reason] = flex_choice._reasons.values()
    assert reason == f"{type(error).__name__}: {str(error).splitlines()[0]}"


def test_compiling_that_fails_later_gives_sdpa(taken: Callable[[Any], None]) -> None:
    calls = []
    taken(lambda *states: calls.append(1) or raise_(CompilerError("too many sizes")))
    states, layout = states_of(SHAPES[1], 4, 2, torch.float32), layout_of(SHAPES[1])
    for _ in range(2):
        found = layout.attend(None, *states, 70, 0.25, 0.0)
        assert torch.allclose(found, layout.attend_by_sdpa(*states, 70, 0.25, 0.0), atol=1e-5)
    assert len(calls) == 1


def test_real_errors_of_the_compiler_are_known_as_such() -> None:
    from torch._dynamo.exc import FailOnRecompileLimitHit, Unsupported

    assert flex_choice.is_of_compiler(FailOnRecompileLimitHit("limit"))
    assert issubclass(Unsupported, Exception) and Unsupported.__module__.startswith("torch._dynamo")
    assert not flex_choice.is_of_compiler(torch.OutOfMemoryError("memory"))


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("memory"), ValueError("a fault of ours")])
def test_other_errors_are_not_hidden(taken: Callable[[Any], None], error: Exception) -> None:
    taken(functools.partial(raise_, error))
    with pytest.raises(type(error)):
        layout_of(SHAPES[0]).attend(None, *states_of(SHAPES[0], 4, 2, torch.float32), None, 0.25, 0.0)
