"""How a model scores an answer that is given: each token's log-probability, and whether it would have chosen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class TokenScores:
    """Natural log-probabilities of an answer's tokens, and for each whether it is the greedy choice there."""

    log_probabilities: list[float]
    is_greedy: list[bool]


@torch.no_grad()
def score(model: Any, prompt: Sequence[int], answer: Sequence[int]) -> TokenScores:
    """Scores of the answer's tokens after the prompt, in one pass without packs or cache."""
    device = next(model.parameters()).device
    ids = torch.tensor([[*prompt, *answer]], device=device)
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=len(answer) + 1).logits[0, :-1].float()
    chosen = torch.tensor(answer, device=device)
    scores = logits.log_softmax(-1).gather(1, chosen[:, None])[:, 0]
    return TokenScores(scores.tolist(), (logits.argmax(-1) == chosen).tolist())


@torch.no_grad()
def greedy(model: Any, prompt: Sequence[int], stops: Sequence[int], most: int) -> list[int]:
    """The greedy answer's ids, its stop token included, by transformers' own generation."""
    from transformers import GenerationConfig

    ids = torch.tensor([list(prompt)], device=next(model.parameters()).device)
    config = GenerationConfig(max_new_tokens=most, do_sample=False, pad_token_id=stops[0], eos_token_id=list(stops))
    found = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config)
    return found[0, len(prompt) :].tolist()
