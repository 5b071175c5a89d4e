"""The leaner forwards give what autograd gives."""

import torch
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm

from astudent.student.lean import RmsNorm, make_lean


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
