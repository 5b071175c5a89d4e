"""A GGUF read back: the model that its keys and tensors describe, as transformers computes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from astudent.errors import RunError
from astudent.export.gguf_families import (
    FAMILIES,
    GLOBAL_EVERY,
    LOCAL_ROPE_BASE,
    Family,
    from_gguf,
    tensor_names,
)
from astudent.export.gguf_file import Keys, Read

_KINDS: dict[str, tuple[str, Callable[..., Any], Callable[..., Any]]] = {
    "gemma3": ("Gemma3ForCausalLM", Gemma3TextConfig, Gemma3ForCausalLM),
    "llama": ("LlamaForCausalLM", LlamaConfig, LlamaForCausalLM),
    "qwen2": ("Qwen2ForCausalLM", Qwen2Config, Qwen2ForCausalLM),
    "qwen3": ("Qwen3ForCausalLM", Qwen3Config, Qwen3ForCausalLM),
}


def model_of(file: Read, path: Path) -> Any:
    """The model in float32, built from the file alone and read as the runtimes read it: what a file does not say takes
    their defaults, and of Gemma's layers every sixth is global. RunError for a file that lacks something."""
    architecture = file.keys.get("general.architecture")
    if architecture not in _KINDS:
        raise RunError(f"{path}: a GGUF of {architecture!r}", "Make the export again.")
    name, configure, build = _KINDS[architecture]
    family = FAMILIES[name]
    try:
        model = build(configure(**_shape(file, family)))
        _fill(model, file, family)
    except (KeyError, RuntimeError) as error:
        raise RunError(f"{path}: it lacks {_first_line(error)}", "Make the export again.") from error
    except (ValueError, TypeError, ArithmeticError, AttributeError, StrictDataclassError) as error:
        raise RunError(
            f"{path}: its keys do not fit together: {_first_line(error)}", "Make the export again."
        ) from error
    return model.eval().requires_grad_(False)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _shape(file: Read, family: Family) -> dict[str, Any]:
    keys = {key.removeprefix(f"{family.name}."): value for key, value in file.keys.items()}
    base = keys.get("rope.freq_base", family.rope_base)
    shape = {
        "vocab_size": file.tensors["token_embd.weight"].shape[0],
        "hidden_size": keys["embedding_length"],
        "intermediate_size": keys["feed_forward_length"],
        "num_hidden_layers": keys["block_count"],
        "num_attention_heads": keys["attention.head_count"],
        "num_key_value_heads": keys["attention.head_count_kv"],
        "head_dim": keys["attention.key_length"],
        "rms_norm_eps": keys["attention.layer_norm_rms_epsilon"],
        "max_position_embeddings": keys["context_length"],
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "rope_parameters": {"rope_type": "default", "rope_theta": base},
        "pad_token_id": None,
        "bos_token_id": None,
        "eos_token_id": None,
        "attention_bias": family.name == "llama" and "blk.0.attn_q.bias" in file.tensors,
    }
    return shape | (_gemma(keys, base) if family.name == "gemma3" else {})


def _gemma(keys: Keys, base: float) -> dict[str, Any]:
    kinds = ["sliding_attention"] * (GLOBAL_EVERY - 1) + ["full_attention"]
    local = keys.get("rope.local.freq_base", LOCAL_ROPE_BASE)
    return {
        "query_pre_attn_scalar": keys["attention.key_length"],
        "sliding_window": keys["attention.sliding_window"],
        "layer_types": [kinds[place % GLOBAL_EVERY] for place in range(keys["block_count"])],
        "final_logit_softcapping": keys.get("final_logit_softcapping"),
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": base},
            "sliding_attention": {"rope_type": "default", "rope_theta": local},
        },
    }


def _fill(model: Any, file: Read, family: Family) -> None:
    config, state = model.config, {}
    wanted = [name for name in model.state_dict() if name != "lm_head.weight" or not config.tie_word_embeddings]
    for theirs, ours in tensor_names(family, config.num_hidden_layers, wanted).items():
        heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
        state[theirs] = torch.from_numpy(from_gguf(family, ours, file.tensors[ours], heads, kv_heads))
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
