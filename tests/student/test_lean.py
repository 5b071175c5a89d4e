"""The leaner forwards give what autograd gives."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm

from astudent.student.lean import AddedAdapter, RmsNorm, make_lean, make_plain


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


@pytest.mark.parametrize("bias", [False, True])
def test_an_added_adapter_differentiates_states_and_both_matrices(bias: bool):
    torch.manual_seed(0)
    weight, shift = torch.randn(7, 5, dtype=torch.float64), torch.randn(7, dtype=torch.float64) if bias else None
    asked = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in [(2, 3, 5), (2, 5), (7, 2)]]
    assert torch.autograd.gradcheck(lambda x, a, b: AddedAdapter.apply(x, weight, shift, a, b, 0.7), asked)


@pytest.mark.parametrize(("rank", "way"), [(1, "_added_forward"), (16, "_merged_forward")])
def test_a_lean_adapter_is_the_adapter(rank: int, way: str):
    """Small ranks are added, large ones merged first; switched off, the layer is the base's."""
    torch.manual_seed(0)
    model: Any = get_peft_model(
        torch.nn.Sequential(torch.nn.Linear(48, 40)),
        LoraConfig(r=rank, lora_alpha=3, target_modules=["0"], init_lora_weights=False),
    )
    layer = model.base_model.model[0]
    states = torch.randn(2, 5, 48, requires_grad=True)
    learnt = [states, *(p for p in model.parameters() if p.requires_grad)]

    def measured() -> list[torch.Tensor]:
        out = model(states)
        with model.disable_adapter():
            off = model(states)
        return [out, off, *torch.autograd.grad(out.square().sum(), learnt)]

    wanted = measured()
    make_lean(model)
    assert layer.forward.__name__ == way
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(measured(), wanted, strict=True))
    assert not torch.allclose(wanted[0], wanted[1])


@pytest.mark.parametrize("options", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True}])
def test_dropout_and_other_kinds_of_adapter_stay_as_they_are(options: Any):
    config = LoraConfig(r=1, target_modules=["0"], **options)
    model: Any = get_peft_model(torch.nn.Sequential(torch.nn.Linear(48, 40)), config)
    make_lean(model)
    assert "forward" not in vars(model.base_model.model[0])
