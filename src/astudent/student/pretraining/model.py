"""The tiny student: Gemma 3 in the order of layers that Ollama serves, and the attention that pre-training's packs need."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface, Gemma3ForCausalLM, Gemma3TextConfig

from astudent.student.lean import make_lean

WINDOW, BLOCK = 8, 16
BLOCKED = -30000.0


def tiny_config(
    vocabulary: int, hidden: int = 144, layers: int = 12, feed_forward: int = 384, heads: int = 4, kv_heads: int = 2
) -> Gemma3TextConfig:
    """Five layers with a small window, then a global one, and again: any other order is served wrong by Ollama.

    A window of 8 tokens and a local RoPE base of 100 make copying emerge early; depth is what makes look-ups work.
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


def pack_attention(module, query, key, value, attention_mask, scaling: float = 1.0, **_) -> tuple[Tensor, None]:
    """query (B, H, T, D), key and value (B, G, T, D). A global layer's mask is (B, 1, T, T), a sliding layer's (B, T / BLOCK, BLOCK, BLOCK + WINDOW):
    each block of queries meets its own keys and the WINDOW before them, never the whole row."""
    if attention_mask.shape[-1] == attention_mask.shape[-2]:
        repeats = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
        module.asked = (query * scaling, key, attention_mask)  # see `attention_to`
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask, scale=scaling)
    else:
        out = _sliding(query * scaling, key, value, attention_mask)
    return out.transpose(1, 2).contiguous(), None


AttentionInterface.register("pretraining_packs", pack_attention)


def attention_to(module: Any, places: Tensor) -> Tensor:
    """How much a global layer's heads looked from one token at another in its last call, for places (N, 3) of (pack, from, to), pack by pack: (N,), the
    mean of the heads."""
    query, key, mask = module.asked
    shares = []
    for pack in places[:, 0].unique():
        source, target = places[places[:, 0] == pack, 1:].unbind(1)
        scores = query[pack, :, source] @ key[pack].transpose(-1, -2) + mask[pack, 0, source]  # (H, n, T)
        shares.append(torch.softmax(scores, -1)[:, torch.arange(len(source)), target].mean(0))
    return torch.cat(shares)


def _sliding(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    batch, heads, length, width = query.shape
    groups, blocks = key.shape[1], length // BLOCK
    shape = (batch, groups, heads // groups, blocks, BLOCK, width)
    grouped = query.view(shape).transpose(2, 3).reshape(batch, groups, blocks, -1, width)
    keys, values = _near(key), _near(value)
    scores = (grouped @ keys.transpose(-1, -2)).view(batch, groups, blocks, -1, BLOCK, BLOCK + WINDOW) + mask[
        :, None, :, None
    ]
    weights = torch.softmax(scores, -1).view(batch, groups, blocks, -1, BLOCK + WINDOW)
    out = (weights @ values).view(batch, groups, blocks, -1, BLOCK, width)
    return out.transpose(2, 3).reshape(batch, heads, length, width)


def _near(states: Tensor) -> Tensor:
    """(B, G, T, D) -> (B, G, T / BLOCK, WINDOW + BLOCK, D): each block of states with the WINDOW states before it."""
    own = states.unflatten(2, (-1, BLOCK))
    before = F.pad(own[:, :, :-1, -WINDOW:], (0, 0, 0, 0, 1, 0))
    return torch.cat([before, own], 3)


def pack_masks(segments: Tensor) -> dict[str, Tensor]:
    """Additive masks by layer type for segments (B, T); T is a multiple of BLOCK. The window is counted in the pack, so only the first request
    sees the end of the prefix through it; the others see the prefix through the global layers alone."""
    batch, length = segments.shape
    causal = torch.ones(length, length, dtype=torch.bool).tril()[None]
    same = segments[:, None, :] == segments[:, :, None]
    full = (causal & (same | (segments[:, None, :] == 0))) | torch.eye(length, dtype=torch.bool)[None]
    near = F.pad(segments, (WINDOW, 0), value=-1).unfold(1, BLOCK + WINDOW, BLOCK)[
        :, :, None
    ]  # (B, T / BLOCK, 1, BLOCK + WINDOW)
    own = segments.view(batch, -1, BLOCK)[..., None]
    distance = torch.arange(BLOCK)[:, None] + WINDOW - torch.arange(BLOCK + WINDOW)[None]
    seen = ((near == own) | ((near == 0) & (own == 1))) & ((distance >= 0) & (distance < WINDOW)) | (distance == 0)
    blocked = torch.tensor(BLOCKED)
    return {
        "full_attention": torch.where(full, 0.0, blocked)[:, None],
        "sliding_attention": torch.where(seen, 0.0, blocked),
    }
