"""The tiny student: Gemma 3 in the order of layers that Ollama serves, and the attention that pre-training's packs need."""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, Gemma3ForCausalLM, Gemma3TextConfig
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask
from transformers.models.gemma3.modeling_gemma3 import Gemma3Attention

from astudent.student.attention import PackLayout, prefix_shared_attention
from astudent.student.lean import make_lean

WINDOW = 64
"""Positions that a sliding layer sees: a request of ordinary length and the begin of its answer."""
STEP_KEY = "pretraining_step"
"""In a published folder's config.json: the steps that its weights have had."""


def tiny_config(
    vocabulary: int, hidden: int = 144, layers: int = 12, feed_forward: int = 384, heads: int = 4, kv_heads: int = 2
) -> Gemma3TextConfig:
    """Five layers with a small window, then a global one, and again: any other order is served wrong by Ollama.

    A local RoPE base of 100 makes copying emerge early; depth is what makes look-ups work.
    """
    head_dim = hidden // heads
    return Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        intermediate_size=feed_forward,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=head_dim,
        query_pre_attn_scalar=head_dim,
        sliding_window=WINDOW,
        max_position_embeddings=8192,
        layer_types=["full_attention" if place % 6 == 5 else "sliding_attention" for place in range(layers)],
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
            "full_attention": {"rope_type": "default", "rope_theta": 1e5},
        },
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=[1, 6],
        tie_word_embeddings=True,
        initializer_range=0.02,
    )


def new_model(vocabulary: int) -> Gemma3ForCausalLM:
    model = Gemma3ForCausalLM(tiny_config(vocabulary))
    model.set_attn_implementation("pretraining_packs")
    make_lean(model)
    return model


def pack_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    **options: Any,
) -> tuple[Tensor, None]:
    """`prefix_shared_attention`, but a global layer keeps what `attention_to` asks for."""
    if not module.is_sliding:
        module.asked = (query[0] * scaling, key[0])
    return prefix_shared_attention(module, query, key, value, attention_mask, scaling, **options)


AttentionInterface.register("pretraining_packs", pack_attention)
AttentionMaskInterface.register("pretraining_packs", sdpa_mask)


def attention_to(module: Any, layout: PackLayout, rows: Tensor, places: Tensor) -> Tensor:
    """How much a global layer's heads looked from one token at another in its last call, for ascending places (M, 2) of (from, to) in a step of N
    tokens; `rows` (N,) tells its requests apart, 0 being a schema. Returns the mean of the heads (M,)."""
    query, key = module.asked
    key = key.repeat_interleave(query.shape[0] // key.shape[0], 0)
    shares = []
    for group in layout.groups:
        here = slice(group.start, group.end)
        source, target = places[(places[:, 0] >= group.start) & (places[:, 0] < group.end)].unbind(1)
        near = rows[here]
        seen = ((near == 0) | (near == rows[source, None])) & (torch.arange(group.start, group.end) <= source[:, None])
        scores = (query[:, source] @ key[:, here].transpose(1, 2)).masked_fill(~seen, float("-inf"))  # (H, m, T)
        shares.append(torch.softmax(scores, -1)[:, torch.arange(len(source)), target - group.start].mean(0))
    return torch.cat(shares)


def set_window(model: Gemma3ForCausalLM, window: int) -> None:
    """How many positions, its own included, the sliding layers of `model` see from now on."""
    model.config.sliding_window = window
    for module in model.modules():
        if isinstance(module, Gemma3Attention) and module.is_sliding:
            module.sliding_window = window
