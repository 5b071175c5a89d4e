"""Tiny random models and a tokenizer, made in the test: no download, a few kilobytes each."""

import json
from functools import lru_cache
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "pad_token_id": 0,
    "eos_token_id": [1, 6],
    "bos_token_id": 2,
    "initializer_range": 0.3,
}


@lru_cache(maxsize=4)
def make_tokenizer(template: str | None = GEMMA_TEMPLATE) -> PreTrainedTokenizerFast:
    """Pieces of one or two characters with byte fallback, laid out as Gemma's SentencePiece tokenizer is."""
    letters = [chr(c) for c in range(33, 127)] + ["▁", "\n", "é", "à", "ç"]
    pairs = [a + b for a in "abcdefghijklmnopqrstuvwxyz" for b in "aeiou"]
    pieces = [*SPECIAL, *(f"<0x{i:02X}>" for i in range(256)), *letters, *pairs]
    merges = [(p[0], p[1]) for p in pairs]
    model = models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<unk>", byte_fallback=True)
    inner = Tokenizer(model)
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    inner.decoder = decoders.Sequence(steps)
    inner.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in SPECIAL])
    names = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, **names)
    tokenizer.chat_template = template
    return tokenizer


FAMILIES = ["gemma3", "llama", "qwen2", "qwen3", "mistral", "smollm2"]
"""All architectures that packs are known for; SmolLM2 is a Llama with tied embeddings and a share of three."""


def make_model(
    kind: str,
    *,
    window: int = 8,
    layers: int = 3,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    head_dim: int = 12,
) -> Any:
    """A random model of the family `kind`, on the vocabulary of `make_tokenizer`."""
    torch.manual_seed(seed)
    model = _random_model(kind, window, layers, head_dim)
    for parameter in model.parameters():  # rotary tables stay in float32, as transformers computes them
        parameter.data = parameter.data.to(dtype)
    return model


def _random_model(kind: str, window: int, layers: int, head_dim: int) -> Any:
    shape: Any = SHAPE | {"vocab_size": len(make_tokenizer()), "num_hidden_layers": layers}
    if kind == "gemma3":
        types = ["full_attention" if i % 3 == 2 else "sliding_attention" for i in range(layers)]
        config = Gemma3TextConfig(
            **shape, head_dim=head_dim, query_pre_attn_scalar=head_dim, sliding_window=window, layer_types=types
        )
        return Gemma3ForCausalLM(config)
    if kind == "gpt2":
        ends = {name: shape[name] for name in ("pad_token_id", "bos_token_id", "initializer_range")}
        return GPT2LMHeadModel(
            GPT2Config(**ends, vocab_size=shape["vocab_size"], n_embd=32, n_head=4, n_layer=layers, n_positions=1024)
        )
    if kind == "llama":
        return LlamaForCausalLM(LlamaConfig(**shape))
    if kind == "smollm2":
        heads = {"hidden_size": 9 * head_dim, "num_attention_heads": 9, "num_key_value_heads": 3}
        return LlamaForCausalLM(LlamaConfig(**shape | heads, tie_word_embeddings=True))
    if kind == "qwen2":
        return Qwen2ForCausalLM(Qwen2Config(**shape))
    if kind == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(**shape, head_dim=head_dim))
    return MistralForCausalLM(MistralConfig(**shape, head_dim=head_dim, sliding_window=window))


def add_lora(model: Any, rank: int = 4, dropout: float = 0.0) -> Any:
    """The model with an adapter on the seven projections (GPT-2: its three), whose effect is not zero."""
    from peft import LoraConfig, get_peft_model

    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    is_gpt2 = isinstance(model, GPT2LMHeadModel)
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=dropout,
        target_modules=["c_attn", "c_proj", "c_fc"] if is_gpt2 else targets,
        fan_in_fan_out=is_gpt2,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, config, autocast_adapter_dtype=False)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "field": {"enum": ["price", "city", "rating"]},
        "operator": {"enum": ["eq", "lt"]},
        "value": {"type": "number"},
        "flag": {"type": "boolean"},
        "text": {"type": "string"},
    },
    "required": ["field", "operator", "value"],
    "additionalProperties": False,
}


def completion(field: str, value: int, text: str = "") -> str:
    """One answer that fits SCHEMA, in its canonical form."""
    row: dict[str, Any] = {"field": field, "operator": "eq", "value": value}
    if text:
        row["text"] = text
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False)
