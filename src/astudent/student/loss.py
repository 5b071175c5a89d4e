"""The loss of each supervised token, and sums of it by role. Losses travel as (sum, count).

The head runs on supervised positions only. A frozen head gets its gradient in the forward pass, so a token costs two
matrix products with the vocabulary instead of three.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from astudent.student import processes
from astudent.student.attention import ready_mask
from astudent.student.batching import TokenBatch
from astudent.student.supervision import ROLE_NAMES

Head = Literal["supervised", "full"]
CHUNK = 256
"""Supervised tokens whose logits (CHUNK, V) exist at one time."""
FULL_PRECISION = (torch.float32, torch.float64)


class FrozenHeadLoss(torch.autograd.Function):
    """-log p(target) of each token (N,) for hidden states (N, H) and a head (V, H) that takes no gradient."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor, softcap: float | None) -> Tensor:
        wants_gradient = ctx.needs_input_grad[0]
        losses = torch.empty(len(hidden), dtype=torch.promote_types(hidden.dtype, torch.float32), device=hidden.device)
        gradient = torch.empty_like(hidden) if wants_gradient else None
        for start in range(0, len(hidden), CHUNK):
            part = slice(start, start + CHUNK)
            logits, slope = _logits(hidden[part], head, softcap)
            target = targets[part, None]
            norm = torch.logsumexp(logits, -1, keepdim=True)
            losses[part] = (norm - logits.gather(1, target)).squeeze(1)
            if gradient is not None:
                share = logits.sub_(norm).exp_()
                share.scatter_add_(1, target, torch.full_like(target, -1, dtype=share.dtype))
                share = share if slope is None else share.mul_(slope)
                gradient[part] = share.to(hidden.dtype) @ head
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = ctx.saved_tensors
        return gradient * grad[:, None].to(gradient.dtype), None, None, None


def _logits(hidden: Tensor, head: Tensor, softcap: float | None) -> tuple[Tensor, Tensor | None]:
    """Logits (n, V) in full precision and, with a soft cap, its slope."""
    logits = hidden @ head.t()
    logits = logits if logits.dtype in FULL_PRECISION else logits.float()
    if softcap is None:
        return logits, None
    bent = torch.tanh(logits / softcap)
    return bent * softcap, 1 - bent * bent


def head_losses(base: Any, hidden: Tensor, targets: Tensor) -> Tensor:
    """-log p of each target (N,) under the model's own head, for hidden states (N, H)."""
    head = base.get_output_embeddings()
    softcap = getattr(base.config, "final_logit_softcapping", None)
    plain = isinstance(head, nn.Linear) and head.bias is None and not head.weight.requires_grad
    if plain:
        return FrozenHeadLoss.apply(hidden, head.weight, targets, softcap)  # pyright: ignore[reportReturnType]
    logits = head(hidden)
    logits = logits if logits.dtype in FULL_PRECISION else logits.float()
    logits = logits if softcap is None else torch.tanh(logits / softcap) * softcap
    return F.cross_entropy(logits, targets, reduction="none")


def base_of(model: Any) -> Any:
    """The causal language model below PEFT and data-parallel wrappers."""
    model = getattr(model, "module", model)
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def install_token_losses(model: Any, head: Head = "supervised") -> None:
    """Lets `model(token_batch=batch)` return the losses (N,) of the batch's supervised tokens.

    The call goes through every wrapper (PEFT, data parallel, autocast), so their hooks run. `full` takes the model's
    own logits, for architectures whose head is not known to be a plain product.
    """
    base = base_of(model)
    original = getattr(base, "_plain_forward", base.forward)

    def forward(self: Any, *args: Any, token_batch: TokenBatch | None = None, **kwargs: Any) -> Any:
        if token_batch is None:
            return original(*args, **kwargs)
        if head == "full":
            return losses_of_logits(original, token_batch)
        return _losses_of_trunk(self, token_batch)

    base._plain_forward = original
    base.forward = types.MethodType(forward, base)


def _losses_of_trunk(base: Any, batch: TokenBatch) -> Tensor:
    packed = {} if batch.layout is None else {"layout": batch.layout}
    mask = batch.attention_mask if batch.layout is None else ready_mask().to(batch.input_ids.device)
    trunk = base.get_decoder()
    hidden = trunk(
        input_ids=batch.input_ids, position_ids=batch.position_ids, attention_mask=mask, use_cache=False, **packed
    ).last_hidden_state
    chosen = hidden.reshape(-1, hidden.shape[-1]).index_select(0, batch.predict_at)
    return head_losses(base, chosen, batch.targets)


def losses_of_logits(forward: Any, batch: TokenBatch) -> Tensor:
    """-log p of each supervised token (N,) from the full logits of padded rows."""
    logits = forward(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False).logits
    chosen = logits.reshape(-1, logits.shape[-1]).index_select(0, batch.predict_at)
    chosen = chosen if chosen.dtype in FULL_PRECISION else chosen.float()
    return F.cross_entropy(chosen, batch.targets, reduction="none")


def token_losses(model: Any, batch: TokenBatch) -> Tensor:
    """-log p of each supervised token (N,)."""
    return model(token_batch=batch)


def row_log_probabilities(losses: Tensor, batch: TokenBatch, weights: Tensor | None = None) -> Tensor:
    """log p of each row's completion (R,): the sum over its tokens, each times its weight."""
    weighted = -losses if weights is None else -losses * weights
    return torch.zeros(batch.row_count, dtype=losses.dtype, device=losses.device).index_add(0, batch.rows, weighted)


@dataclass
class LossSums:
    """Sums of token losses: (2, R) by kind (plain, repair) and role, with their counts, and the objective's own.

    All in float64, so that role sums add up to the total.
    """

    total: Tensor
    count: Tensor
    objective: Tensor  # (2,): weighted sum, sum of weights

    @staticmethod
    def zeros() -> LossSums:
        shape = (2, len(ROLE_NAMES))
        double = torch.float64
        return LossSums(
            torch.zeros(shape, dtype=double), torch.zeros(shape, dtype=double), torch.zeros(2, dtype=double)
        )

    def add(self, losses: Tensor, batch: TokenBatch, where: Tensor | None = None) -> None:
        """Adds one batch's losses (N,), or those `where` (N,) is true."""
        keep = torch.ones_like(batch.rows, dtype=torch.bool) if where is None else where
        values = losses.detach()[keep].double().cpu()
        weights = batch.weights[keep].double().cpu()
        kind = batch.is_repair[batch.rows[keep]].long()
        at = (kind * len(ROLE_NAMES) + batch.roles[keep]).cpu()
        self.total.view(-1).index_add_(0, at, values)
        self.count.view(-1).index_add_(0, at, torch.ones_like(values))
        self.objective += torch.stack([(values * weights).sum(), weights.sum()])

    def over_processes(self) -> LossSums:
        """The sums of all processes."""
        flat = processes.total(torch.cat([self.total.view(-1), self.count.view(-1), self.objective]))
        size = self.total.numel()
        return LossSums(flat[:size].view(2, -1), flat[size : 2 * size].view(2, -1), flat[2 * size :])

    def state(self) -> dict[str, Any]:
        """Plain lists, for a checkpoint."""
        return {name: getattr(self, name).tolist() for name in ("total", "count", "objective")}

    @staticmethod
    def restore(state: dict[str, Any]) -> LossSums:
        return LossSums(*(torch.tensor(state[name], dtype=torch.float64) for name in ("total", "count", "objective")))

    def mean(self, kinds: slice = slice(0, 2)) -> float | None:
        """Token mean over the chosen kinds (0 plain, 1 repair); None without a token."""
        count = self.count[kinds].sum().item()
        return self.total[kinds].sum().item() / count if count else None

    def by_role(self, kinds: slice = slice(0, 2)) -> dict[str, dict[str, float | int]]:
        """`loss_by_role` (mean of each role that occurs) and `tokens_by_role`."""
        total, count = self.total[kinds].sum(0), self.count[kinds].sum(0)
        there = [i for i in range(len(ROLE_NAMES)) if count[i] > 0]
        return {
            "loss_by_role": {ROLE_NAMES[i]: total[i].item() / count[i].item() for i in there},
            "tokens_by_role": {ROLE_NAMES[i]: int(count[i].item()) for i in there},
        }

    def repair(self) -> dict[str, float | int]:
        """The repair rows' own mean and tokens; empty without one."""
        mean = self.mean(slice(1, 2))
        return {} if mean is None else {"repair_loss": mean, "repair_tokens": int(self.count[1].sum().item())}
