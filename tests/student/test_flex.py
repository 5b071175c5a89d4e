"""FlexAttention for packs: its masks, and its results on a CPU.

A CPU has FlexAttention's forward only. Where gradients are asked for, a dense product with the very same mask stands in.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from against_rows import assert_same, in_batches, row_by_row
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_shapes import SHAPES, Shape, dense, layout_of, runs_of, seen_by_definition, states_of
from rows_of import make_rows
from tiny_models import add_lora, make_model, make_tokenizer
from torch.nn.attention import flex_attention as torch_flex

from astudent.student import flex, flex_choice
from astudent.student.batching import Batcher, pack
from astudent.student.flex import BLOCK, Stretches
from astudent.student.load import assemble
from astudent.student.selfcheck import check

WINDOWS = [None, 1, 8, 70, 100, 500]
"""Without one; shorter and longer than prefixes and suffixes."""


# -- masks --------------------------------------------------------------------------------------------------------


def assert_is_mask_of(shape: Shape, window: int | None) -> None:
    stretches = Stretches.build(runs_of(shape), window)
    size = len(stretches.own)
    index = torch.arange(size)
    nothing = torch.zeros((), dtype=torch.long)
    wanted = seen_by_definition(shape, window, size)
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
