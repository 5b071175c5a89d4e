"""Whether packs take FlexAttention: on a GPU whose Triton compiles it, to SDPA's own results. On others they take SDPA.

Each kind of call is decided once per process, by a trial where the machine has what it needs. On a GPU one line says why
packs take SDPA.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass

import torch
import torch._dynamo
import torch.nn.functional as F
from torch import Tensor

from astudent.errors import first_line
from astudent.student.blocks import Run
from astudent.student.differences import largest_difference
from astudent.student.flex import SparseBlocks, computing_dtype

OLDEST_GPU = (8, 0)
"""Compute capability from which on Triton is supported."""
HEAD_DIMS = range(16, 257)
TOLERANCE = {torch.float32: 5e-3, torch.bfloat16: 3e-2, torch.float16: 5e-3}
"""Largest relative difference from SDPA that a trial may show, for each dtype that has a kernel."""
TRIAL: list[Run] = [(0, 150, [70, 90]), (310, 60, [30])]
TRIAL_TOKENS, TRIAL_WINDOW = 400, 100


@dataclass(frozen=True)
class Kind:
    """What a kernel is compiled for."""

    device: torch.device
    dtype: torch.dtype
    heads: int
    kv_heads: int
    head_dim: int
    scaling: float

    @staticmethod
    def of(query: Tensor, key: Tensor, scaling: float) -> Kind:
        """The kind of a call with query (1, H, T, D) and key (1, Hkv, T, D)."""
        heads, kv_heads, head_dim = query.shape[1], key.shape[1], query.shape[3]
        return Kind(query.device, computing_dtype(query), heads, kv_heads, head_dim, scaling)


_reasons: dict[Kind, str] = {}
"""Why each kind of call that was met does not take FlexAttention; empty where it does."""


def takes_flex(kind: Kind) -> bool:
    """Whether packs take FlexAttention for calls of this kind."""
    if kind not in _reasons:
        _decide(kind, why_not(kind) or trial(kind))
    return not _reasons[kind]


def give_up(kind: Kind, error: Exception) -> None:
    """Calls of this kind take SDPA from now on."""
    _decide(kind, first_line(error))


def in_use() -> bool:
    """Whether any kind of call takes FlexAttention in this process."""
    return "" in _reasons.values()


def is_of_compiler(error: Exception) -> bool:
    """Whether it is the compiler that failed; memory and gradient checkpointing have errors of their own."""
    return type(error).__module__.startswith(("torch._dynamo", "torch._inductor", "triton"))


def why_not(kind: Kind) -> str:
    """What FlexAttention lacks here, in a few words; empty when it lacks nothing."""
    if kind.device.type != "cuda":
        return "no CUDA device"
    if kind.dtype not in TOLERANCE:
        return f"no kernel for {kind.dtype}"
    if kind.head_dim not in HEAD_DIMS:
        return f"no kernel for heads of {kind.head_dim} dimensions"
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed"
    if torch.version.hip is None and torch.cuda.get_device_capability(kind.device) < OLDEST_GPU:
        return "Triton does not support a GPU this old"
    return "torch.compile is switched off" if torch._dynamo.config.disable else ""


def trial(kind: Kind) -> str:
    """Compiles forward and backward on a small pack and compares them with SDPA: what is wrong, or nothing.

    The backward pass is compiled here because later, inside a step, there would be no choice left. A gradient
    checkpoint around the call does not see the trial's tensors.
    """
    own_graph = torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, lambda tensor: tensor)
    try:
        with torch.inference_mode(False), torch.enable_grad(), own_graph:
            difference = _difference(kind)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, SDPA is there
        return first_line(error)
    is_same = difference <= TOLERANCE[kind.dtype]  # false for NaN too
    return "" if is_same else f"it differs from SDPA by {difference:.1e}"


def _difference(kind: Kind) -> float:
    """Largest relative difference from SDPA in float32 of the output and of three gradients, on random states."""
    draw = torch.Generator().manual_seed(0)
    shapes = [(1, heads, TRIAL_TOKENS, kind.head_dim) for heads in (kind.heads, kind.kv_heads, kind.kv_heads)]
    states = [torch.randn(shape, generator=draw).to(kind.device, kind.dtype).requires_grad_() for shape in shapes]
    slope = torch.randn(shapes[0], generator=draw).to(kind.device, kind.dtype)
    blocks = SparseBlocks.build(TRIAL, TRIAL_WINDOW, kind.device)
    query, key, value = states
    found = blocks.attend(query, key, value, kind.scaling).transpose(1, 2)
    index = torch.arange(TRIAL_TOKENS, device=kind.device)
    seen = blocks.mask.mask_mod(index, index, index[:, None], index)
    wide = [state.detach().float().requires_grad_() for state in states]
    with torch.autocast(kind.device.type, enabled=False):
        share = kind.heads // kind.kv_heads
        k, v = (state.repeat_interleave(share, 1) for state in wide[1:])
        wanted = F.scaled_dot_product_attention(wide[0], k, v, attn_mask=seen, scale=kind.scaling)
    pairs = [(found, wanted)]
    gradients = torch.autograd.grad(found, states, slope), torch.autograd.grad(wanted, wide, slope.float())
    pairs += zip(*gradients, strict=True)
    return largest_difference(pairs)


def _decide(kind: Kind, reason: str) -> None:
    _reasons[kind] = reason
    if reason and kind.device.type == "cuda":
        print(f"warning: packs take SDPA instead of FlexAttention: {reason}", file=sys.stderr, flush=True)
