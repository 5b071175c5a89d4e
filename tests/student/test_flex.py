"""FlexAttention for packs: its masks, its results on a CPU, and when it is taken.

A CPU has FlexAttention's forward only. Where gradients are asked for, a dense product with the very same mask stands in.
"""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from against_rows import assert_same, in_batches, row_by_row
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_of import make_rows
from tiny_models import add_lora, make_model, make_tokenizer
from torch.nn.attention import flex_attention as torch_flex

from astudent.student import flex, flex_choice
from astudent.student.attention import Group, PackLayout
from astudent.student.batching import Batcher, pack
from astudent.student.flex import BLOCK, Stretches
from astudent.student.flex_choice import Kind
from astudent.student.load import assemble
from astudent.student.selfcheck import check

Shape = list[tuple[int, list[int]]]
"""Groups: the length of a prefix and those of its suffixes."""
SHAPES: list[Shape] = [
    [(5, [3])],
    [(20, [7, 30, 1]), (150, [40, 140, 2])],
    [(128, [128, 128]), (1, [1, 1]), (60, [61, 3, 90])],
]
WINDOWS = [None, 1, 8, 70, 100, 500]
"""Without one; shorter and longer than prefixes and suffixes."""


def runs_of(shape: Shape) -> list[flex.Run]:
    runs, at = [], 0
    for prefix, lengths in shape:
        runs.append((at, prefix, lengths))
        at += prefix + sum(lengths)
    return runs


def brute_force(shape: Shape, window: int | None, size: int) -> torch.Tensor:
    """(size, size): token q sees token k if k is of q's prefix or run, not after it, and within the window by position."""
    tokens: list[tuple[int, int, int]] = []  # group, run (0 is the prefix), position
    for group, (prefix, lengths) in enumerate(shape):
        tokens += [(group, 0, position) for position in range(prefix)]
        for run, length in enumerate(lengths, 1):
            tokens += [(group, run, prefix + step) for step in range(length)]
    tokens += [(-1 - pad, 0, 0) for pad in range(size - len(tokens))]
    group, run, position = torch.tensor(tokens).unbind(1)
    distance = position[:, None] - position
    seen = (group[:, None] == group) & ((run == 0) | (run[:, None] == run)) & (distance >= 0)
    return seen if window is None else seen & (distance < window)


def layout_of(shape: Shape) -> PackLayout:
    return PackLayout([Group.build(*run) for run in runs_of(shape)])


def states_of(
    shape: Shape, heads: int, kv_heads: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random queries (1, heads, T, 16), keys and values (1, kv_heads, T, 16)."""
    length = sum(prefix + sum(lengths) for prefix, lengths in shape)
    draw = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(1, n, length, 16, generator=draw, dtype=dtype) for n in (heads, kv_heads, kv_heads)
    )
    return query, key, value


def dense(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, scale: float | None) -> torch.Tensor:
    """What the kernel computes, by SDPA over all scores: it has a backward pass on a CPU."""
    index = torch.arange(query.shape[2])
    seen = mask.mask_mod(index, index, index[:, None], index)
    share = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(share, 1), value.repeat_interleave(share, 1)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scale)


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


# -- masks --------------------------------------------------------------------------------------------------------


def assert_is_mask_of(shape: Shape, window: int | None) -> None:
    stretches = Stretches.build(runs_of(shape), window)
    size = len(stretches.own)
    index = torch.arange(size)
    nothing = torch.zeros((), dtype=torch.long)
    wanted = brute_force(shape, window, size)
    assert size % BLOCK == 0 and size >= 2 * BLOCK
    assert torch.equal(stretches.mask_mod()(nothing, nothing, index[:, None], index), wanted)
    made = stretches.block_mask()
    theirs = torch_flex.create_block_mask(stretches.mask_mod(), None, None, size, size, "cpu", BLOCK)
    for ours, other in zip(made.as_tuple(), theirs.as_tuple(), strict=True):
        if isinstance(ours, torch.Tensor) and isinstance(other, torch.Tensor):
            assert ours.shape == other.shape and ours.dtype == other.dtype
            assert ours.dim() == 4 or torch.equal(ours, other)  # how many blocks there are in each row
        else:
            assert ours == other or callable(ours)
    assert torch.equal(made.to_dense(), theirs.to_dense())


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_masks_are_the_definition(shape: Shape, window: int | None) -> None:
    assert_is_mask_of(shape, window)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.lists(st.integers(1, 150), min_size=1, max_size=4)), min_size=1, max_size=4
    ),
    st.one_of(st.none(), st.integers(1, 300)),
)
def test_masks_of_any_pack_are_the_definition(shape: Shape, window: int | None) -> None:
    assert_is_mask_of(shape, window)


def test_masks_are_built_once_per_batch_and_window() -> None:
    layout = layout_of(SHAPES[1])
    assert layout.sparse_blocks(8) is layout.sparse_blocks(8)
    assert layout.sparse_blocks(8) is not layout.sparse_blocks(None)


# -- results ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heads", [(4, 4), (4, 2), (9, 3)])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-14), (torch.float32, 1e-5)])
def test_outputs_are_those_of_sdpa(
    monkeypatch: pytest.MonkeyPatch,
    taken: Callable[[Any], None],
    heads: tuple[int, int],
    window: int | None,
    dtype: torch.dtype,
    within: float,
) -> None:
    """FlexAttention itself, uncompiled; the usual scale and another."""
    monkeypatch.setattr(torch_flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    taken(flex.fused)
    for shape in SHAPES:
        states, layout = states_of(shape, *heads, dtype), layout_of(shape)
        for scaling in (0.25, 0.3):
            with torch.no_grad():
                found = layout.attend(None, *states, window, scaling, 0.0)
                wanted = layout.attend_by_sdpa(*states, window, scaling, 0.0)
            assert ("sparse", window) in layout._cache
            assert found.shape == wanted.shape
            assert (found - wanted).norm() / wanted.norm() < within


@pytest.mark.parametrize("is_checkpointed", [False, True])
@pytest.mark.parametrize(("family", "window"), [("gemma3", 8), ("gemma3", 70), ("smollm2", 8)])
@pytest.mark.usefixtures("in_double")
def test_gradients_equal_row_by_row(
    taken: Callable[[Any], None], family: str, window: int, is_checkpointed: bool
) -> None:
    """Everything but the kernel: pads, masks, heads that share keys, and gradient checkpointing around it."""
    model = add_lora(make_model(family, window=window, dtype=torch.float64))
    assemble(model, make_tokenizer(), trainable=True)
    rows = make_rows()
    wanted = row_by_row(model, rows)
    if is_checkpointed:
        model.train()
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    calls = []
    taken(lambda *states: calls.append(1) or dense(*states))
    assert_same(in_batches(model, [pack([rows[:4], rows[4:]])]), wanted)
    assert len(calls) == (6 if is_checkpointed else 3)


def test_batches_windows_and_modes_compile_once(taken: Callable[[Any], None]) -> None:
    """Packs of any length, with any groups and windows, run through one graph."""
    torch._dynamo.reset()
    graphs = []

    def backend(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    taken(torch.compile(flex.fused, dynamic=True, fullgraph=True, backend=backend))
    with torch.no_grad():
        for shape in [*SHAPES, [(300, [200, 200, 30])], [(700, [9] * 20), (40, [50])]]:
            for window in (None, 8, 100):
                states, layout = states_of(shape, 4, 2, torch.float32), layout_of(shape)
                found = layout.attend(None, *states, window, 0.25, 0.0)
                assert torch.allclose(found, layout.attend_by_sdpa(*states, window, 0.25, 0.0), atol=1e-5)
    assert len(graphs) == 1
    torch._dynamo.reset()


# -- the choice ---------------------------------------------------------------------------------------------------

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
def test_a_cpu_takes_sdpa_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    layout = layout_of(SHAPES[1])
    layout.attend(None, *states_of(SHAPES[1], 4, 2, torch.float32), None, 0.25, 0.0)
    assert ("sparse", None) not in layout._cache
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
    assert torch.equal(found, layout.attend_by_sdpa(*states, 70, 0.25, 0.0))
    [reason] = flex_choice._reasons.values()
    assert reason == f"{type(error).__name__}: {str(error).splitlines()[0]}"


def test_compiling_that_fails_later_gives_sdpa(taken: Callable[[Any], None]) -> None:
    calls = []
    taken(lambda *states: calls.append(1) or raise_(CompilerError("too many sizes")))
    states, layout = states_of(SHAPES[1], 4, 2, torch.float32), layout_of(SHAPES[1])
    for _ in range(2):
        found = layout.attend(None, *states, 70, 0.25, 0.0)
        assert torch.equal(found, layout.attend_by_sdpa(*states, 70, 0.25, 0.0))
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


# -- on a GPU -----------------------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("is_checkpointed", [False, True])
@pytest.mark.parametrize(("family", "window"), [("gemma3", 8), ("gemma3", 100), ("smollm2", 8)])
@pytest.mark.usefixtures("nothing_decided")
def test_on_a_gpu_packs_equal_row_by_row(family: str, window: int, is_checkpointed: bool) -> None:
    """Forward and backward of the compiled kernel, in float32."""
    model = add_lora(make_model(family, window=window, head_dim=16)).cuda()
    assemble(model, make_tokenizer(), trainable=True)
    rows = make_rows(schemas=3)
    wanted = row_by_row(model, rows)
    if is_checkpointed:
        model.train()
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    for budget in (10**6, 500):
        batches = Batcher(True, 0, budget).micro_batches([(row,) for row in rows])[0]
        assert_same(in_batches(model, batches), wanted, within=1e-3)
    assert list(flex_choice._reasons.values()) == [""]


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.usefixtures("nothing_decided")
def test_on_a_gpu_the_self_check_accepts_flex_attention(dtype: torch.dtype) -> None:
    student = assemble(
        add_lora(make_model("gemma3", dtype=dtype, head_dim=16)).cuda(), make_tokenizer(), trainable=True
    )
    batcher, result = check(student, [(row,) for row in make_rows()], 10**6)
    assert batcher.packed and "by FlexAttention" in result.reason
