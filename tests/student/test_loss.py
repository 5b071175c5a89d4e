"""The head's loss block by block of the vocabulary, against cross entropy over all of it."""

import pytest
import torch
import torch.nn.functional as F
from tiny_models import make_model, make_tokenizer

from astudent.student import loss
from astudent.student.load import assemble
from astudent.student.loss import FrozenHeadLoss


def drawn(tokens: int, vocabulary: int, dtype: torch.dtype, size: float = 1.0) -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(tokens, 6, generator=draw, dtype=dtype) * size
    head = torch.randn(vocabulary, 6, generator=draw, dtype=dtype)
    return hidden.requires_grad_(), head, torch.randint(vocabulary, (tokens,), generator=draw)


@pytest.mark.parametrize("softcap", [None, 3.0])
@pytest.mark.parametrize("chunk", [(512, 2048), (4, 7), (1, 1), (3, 40)])
def test_it_is_cross_entropy(softcap: float | None, chunk: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "CHUNK_ON_CPU", chunk)
    hidden, head, targets = drawn(10, 40, torch.float64)
    logits = hidden @ head.t()
    logits = logits if softcap is None else torch.tanh(logits / softcap) * softcap
    wanted = F.cross_entropy(logits, targets, reduction="none")
    found: torch.Tensor = FrozenHeadLoss.apply(hidden, head, targets, softcap)  # pyright: ignore[reportAssignmentType]
    weights = torch.arange(10) + 1.0
    slopes = [torch.autograd.grad((losses * weights).sum(), hidden)[0] for losses in (wanted, found)]
    assert torch.allclose(found, wanted, rtol=0, atol=1e-12)
    assert torch.allclose(slopes[1], slopes[0], rtol=0, atol=1e-11)


def test_logits_beyond_what_exp_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits of some thousands in float32, the largest in any block: the running maximum keeps them finite."""
    monkeypatch.setattr(loss, "CHUNK_ON_CPU", (4, 5))
    hidden, head, targets = drawn(12, 33, torch.float32, size=1000.0)
    found: torch.Tensor = FrozenHeadLoss.apply(hidden, head, targets, None)  # pyright: ignore[reportAssignmentType]
    assert (hidden @ head.t()).abs().max() > 1000
    assert torch.allclose(found, F.cross_entropy(hidden @ head.t(), targets, reduction="none"), rtol=1e-5, atol=1e-2)


def test_a_nan_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "CHUNK_ON_CPU", (4, 5))
    hidden, head, targets = drawn(3, 33, torch.float32)
    head[17] = float("nan")
    found: torch.Tensor = FrozenHeadLoss.apply(hidden, head, targets, None)  # pyright: ignore[reportAssignmentType]
    assert found.isnan().all()


def test_generate_computes_the_last_logits_alone() -> None:
    """transformers asks the signature whether it may; all logits of long prompts would fill the memory."""
    student = assemble(make_model("gemma3"), make_tokenizer())
    shapes = []
    student.model.lm_head.register_forward_hook(lambda *call: shapes.append(call[2].shape[1]))
    student.model.generate(input_ids=torch.arange(7, 37)[None], max_new_tokens=2, do_sample=False, eos_token_id=None)
    assert shapes == [1, 1]
