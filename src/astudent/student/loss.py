"""The loss of each supervised token, and sums of it by role. Losses travel as (sum, count).

The head runs on supervised positions only. A frozen head gets its gradient in the forward pass, so a token costs two
matrix products with the vocabulary instead of three.
"""

from __future__ import annotations

import inspect
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
CHUNK_ON_CPU, CHUNK_ELSEWHERE = (512, 2048), (256, 2**20)
"""Supervised tokens and vocabulary entries whose logits exist at one time: on a CPU what its cache holds (1.5x a whole row of Gemma's vocabulary)."""
FULL_PRECISION = (torch.float32, torch.float64)


class FrozenHeadLoss(torch.autograd.Function):
    """-log p(target) of each token (N,) for hidden states (N, H) and a head (V, H) that takes no gradient.

    The softmax is taken block by block of the vocabulary with a running maximum (Milakov and Gimelshein, 2018), and the
    gradient's weighted sum of the head's rows with it, so that logits are never kept.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor, softcap: float | None) -> Tensor:
        tokens, width = CHUNK_ON_CPU if hidden.device.type == "cpu" else CHUNK_ELSEWHERE
        wide = torch.promote_types(hidden.dtype, torch.float32)
        losses = torch.empty(len(hidden), dtype=wide, device=hidden.device)
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(hidden), tokens):
            part = slice(start, start + tokens)
            sums = _OnlineSoftmax(hidden[part], head, targets[part, None], softcap, gradient is not None)
            for first in range(0, len(head), width):
                sums.add(head[first : first + width], first)
            losses[part] = sums.losses()
            if gradient is not None:
                gradient[part] = sums.gradient()
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = ctx.saved_tensors
        return gradient * grad[:, None].to(gradient.dtype), None, None, None


class _OnlineSoftmax:
    """The softmax of n tokens over the vocabulary, a block of it at a time; its sums are (n, 1) and (n, H)."""

    def __init__(self, hidden: Tensor, head: Tensor, targets: Tensor, softcap: float | None, slopes: bool) -> None:
        self.hidden, self.head, self.targets, self.softcap = hidden, head, targets, softcap
        wide = torch.promote_types(hidden.dtype, torch.float32)
        zeros = torch.zeros(len(hidden), 1, dtype=wide, device=hidden.device)
        self.highest, self.mass, self.of_target = zeros - torch.inf, zeros, zeros.clone()
        self.pull = zeros.expand(hidden.shape).contiguous() if slopes else None

    def add(self, rows: Tensor, start: int) -> None:
        """Adds the vocabulary entries from `start` on, whose rows of the head are (width, H)."""
        logits = self.hidden @ rows.t()
        logits = logits if logits.dtype in FULL_PRECISION else logits.float()
        if self.softcap is not None:
            logits = logits.div_(self.softcap).tanh_()
            slope = 1 - logits.square()
            logits.mul_(self.softcap)
        at = self.targets - start
        inside, at = (at >= 0) & (at < len(rows)), at.clamp(0, len(rows) - 1)
        self.of_target = torch.where(inside, logits.gather(1, at), self.of_target)
        highest = torch.maximum(self.highest, logits.amax(-1, keepdim=True))
        shrink = (self.highest - highest).exp_()
        self.highest = highest
        shares = logits.sub_(highest).exp_()
        self.mass = self.mass * shrink + shares.sum(-1, keepdim=True)
        if self.pull is not None:
            shares = shares if self.softcap is None else shares.mul_(slope)  # pyright: ignore[reportPossiblyUnbound]
            self.pull.mul_(shrink)
            if self.pull.dtype == rows.dtype:
                self.pull.addmm_(shares, rows)
            else:
                self.pull += shares.to(rows.dtype) @ rows

    def losses(self) -> Tensor:
        """(n,): the logarithm of the mass, less the target's logit."""
        return (self.highest + self.mass.log() - self.of_target)[:, 0]

    def gradient(self) -> Tensor:
        """(n, H): the slope of each token's loss along its hidden state."""
        assert self.pull is not None
        towards = self.head[self.targets[:, 0]]
        if self.softcap is not None:
            towards = towards * (1 - (self.of_target / self.softcap).square())
        return self.pull.div_(self.mass).sub_(towards).to(self.hidden.dtype)


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

    # generate reads the signature: without `logits_to_keep` it would compute the logits of the whole prompt.
    own = next(iter(inspect.signature(forward).parameters.values()))
    given = inspect.signature(original)
    forward.__signature__ = given.replace(parameters=[own, *given.parameters.values()])  # pyright: ignore[reportFunctionMemberAccess]
    base._plain_forward = original
    base.forward = types.MethodType(forward, base)


def _losses_of_trunk(base: Any, batch: TokenBatch) -> Tensor:
    packed = {} if batch.layout is None else {"layout": batch.layout}
    mask = batch.attention_mask if batch.layout is None else ready_mask().to(batch.input_ids.device)
    trunk = base.base_model if batch.images else base.get_decoder()  # the decoder of a vision-language model is blind
    places = {} if batch.position_ids is None else {"position_ids": batch.position_ids}
    hidden = trunk(
        input_ids=batch.input_ids, attention_mask=mask, use_cache=False, **places, **packed, **batch.images
    ).last_hidden_state
    chosen = hidden.reshape(-1, hidden.shape[-1]).index_select(0, batch.predict_at)
    return head_losses(base, chosen, batch.targets)


def losses_of_logits(forward: Any, batch: TokenBatch) -> Tensor:
    """-log p of each supervised token (N,) from the full logits of padded rows."""
    given = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **batch.images}
    logits = forward(**given, use_cache=False).logits
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
