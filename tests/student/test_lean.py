"""The leaner forwards give what autograd gives."""

import pytest
import torch
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm

from astudent.student.lean import RmsNorm, make_lean, make_plain


def test_the_norm_differentiates_states_and_weight():
    torch.manual_seed(0)
    states = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, w: RmsNorm.apply(x, w, 1e-6), (states, weight))
    assert torch.autograd.gradcheck(lambda x: RmsNorm.apply(x, weight.detach(), 1e-6), (states,))


def test_a_lean_norm_is_the_norm():
    torch.manual_seed(0)
    plain, lean = Gemma3RMSNorm(12), Gemma3RMSNorm(12)
    plain.weight.data.normal_()
    lean.load_state_dict(plain.state_dict())
    make_lean(lean)
    states = torch.randn(4, 7, 12, requires_grad=True)
    direction = torch.randn(4, 7, 12)
    results = [torch.autograd.grad((norm(states) * direction).sum(), [states, norm.weight]) for norm in (plain, lean)]
    for expected, found in zip(*results, strict=True):
        assert torch.allclose(expected, found, atol=1e-5)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(3,), (2, 8), (1, 16), (60,)])
def test_few_rows_times_a_large_weight_are_its_product(
    shape: tuple[int, ...], bias: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("astudent.student.lean.LARGE", 20)
    torch.manual_seed(0)
    layer = torch.nn.Linear(5, 7, bias=bias)
    states = torch.randn(*shape, 5, requires_grad=True)
    wanted = layer(states)
    (slope,) = torch.autograd.grad(wanted.square().sum(), states)
    make_lean(layer)
    with torch.no_grad():
        found = layer(states)
    assert found.shape == wanted.shape and torch.allclose(found, wanted, atol=1e-6)
    assert torch.equal(torch.autograd.grad(layer(states).square().sum(), states)[0], slope)
    make_plain(layer)
    assert "forward" not in vars(layer)
