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
