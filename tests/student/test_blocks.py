"""Attention in blocks against one dense mask written from the definition, in float64."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from pack_shapes import Shape, layout_of, seen_by_definition, states_of

from astudent.student import blocks

GROUPS = st.lists(st.tuples(st.integers(1, 60), st.lists(st.integers(1, 40), min_size=1, max_size=4)), max_size=3)
WINDOWS = st.none() | st.integers(1, 90)


@given(GROUPS.filter(bool), WINDOWS, st.sampled_from([(4, 1), (4, 2), (3, 3)]), st.booleans(), st.integers(0, 12))
def test_blocks_are_the_dense_mask(
    shape: Shape, window: int | None, heads: tuple[int, int], is_kept: bool, size: int
) -> None:
    """Outputs and gradients, in blocks of any size, with shares kept for the backward pass or computed anew."""
    query, key, value = (states.requires_grad_() for states in states_of(shape, *heads, torch.float64))
    slope = torch.randn(query.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    share = heads[0] // heads[1]
    wide = key.repeat_interleave(share, 1), value.repeat_interleave(share, 1)
    wanted = F.scaled_dot_product_attention(query, *wide, attn_mask=seen_by_definition(shape, window), scale=0.3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SMALL_HEAD", 48 if is_kept else 0)
        patch.setattr(blocks, "SCORES", 2**size * 64)
        patch.setattr(blocks, "QUERIES", 2 + 3 * size)
        found = layout_of(shape).attend(None, query, key, value, window, 0.3, 0.0).transpose(1, 2)
        given_states = query, key, value
        slopes: list[Any] = [torch.autograd.grad(out, given_states, slope) for out in (found, wanted)]
    assert torch.allclose(found, wanted, rtol=0, atol=1e-12)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(*slopes, strict=True))


@pytest.mark.parametrize("window", [None, 8, 70])
def test_low_precision_is_computed_in_full(window: int | None) -> None:
    """bfloat16 states: scores and shares in float32, so the result is off by the states' own rounding alone."""
    shape = [(40, [30, 9])]
    states = states_of(shape, 4, 2, torch.bfloat16)
    layout = layout_of(shape)
    found = layout.attend(None, *states, window, 0.25, 0.0)
    query, key, value = (state.double() for state in states)
    wanted = layout.attend(None, query, key, value, window, 0.25, 0.0)
    assert found.dtype == torch.bfloat16 and torch.allclose(found.double(), wanted, rtol=2**-8, atol=1e-6)
