"""What a config.json and weights are called in a GGUF."""

from typing import Any

import numpy as np
import pytest

from astudent.export.gguf_families import (
    FAMILIES,
    architecture_keys,
    context_of,
    from_gguf,
    rope_bases,
    tensor_names,
    to_gguf,
    why_not,
)

SHAPE: dict[str, Any] = {
    "num_hidden_layers": 6,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
    "vocab_size": 100,
    "rms_norm_eps": 1e-6,
}
ORDER = ["sliding_attention"] * 5 + ["full_attention"]
GEMMA: dict[str, Any] = SHAPE | {
    "architectures": ["Gemma3ForCausalLM"],
    "head_dim": 16,
    "query_pre_attn_scalar": 16,
    "sliding_window": 512,
    "layer_types": ORDER,
    "rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    },
}
MISTRAL: dict[str, Any] = SHAPE | {"architectures": ["MistralForCausalLM"], "sliding_window": 4096}


def test_gemmas_keys():
    keys = architecture_keys(GEMMA, window_shift=-1)
    assert keys["general.architecture"] == "gemma3" and keys["gemma3.attention.sliding_window"] == 511
    assert keys["gemma3.rope.freq_base"] == 1e6
    assert keys["gemma3.rope.local.freq_base"] == keys["gemma3.rope.freq_base_swa"] == 1e4


def test_rope_bases_at_the_top_level_as_older_files_have_them():
    old = {key: value for key, value in GEMMA.items() if key != "rope_parameters"}
    assert rope_bases(old | {"rope_theta": 5e5, "rope_local_base_freq": 100.0}) == {"global": 5e5, "local": 100.0}
    assert rope_bases(MISTRAL | {"rope_theta": 5e5}) == {"global": 5e5}


def test_mistrals_window_bounds_the_context_since_no_runtime_applies_it():
    assert context_of(MISTRAL) == 4096 and context_of(MISTRAL | {"sliding_window": None}) == 8192


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"layer_types": ORDER[::-1]}, "not every sixth"),
        ({"query_pre_attn_scalar": 256}, "query_pre_attn_scalar"),
        ({"architectures": ["GPT2LMHeadModel"]}, "GPT2LMHeadModel"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, "RoPE is scaled"),
        ({"architectures": ["Qwen2ForCausalLM"], "use_sliding_window": True}, "sliding window"),
    ],
)
def test_what_would_be_served_wrong_is_said(change: dict[str, Any], why: str):
    assert why_not(GEMMA) is None and why in (why_not(GEMMA | change) or "")


def test_llamas_rows_are_interleaved_for_the_rotation():
    """llama.cpp turns rows 2i and 2i+1 of a head together, transformers rows i and i + width/2."""
    rows = np.arange(8.0)[:, None]  # two heads of width 4
    written = to_gguf(FAMILIES["LlamaForCausalLM"], "blk.0.attn_q.weight", rows, 2, 1)
    assert written[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert from_gguf(FAMILIES["LlamaForCausalLM"], "blk.0.attn_q.weight", written, 2, 1).tolist() == rows.tolist()


def test_gemmas_norms_hold_one_more_and_others_do_not():
    norm = np.zeros(3)
    assert to_gguf(FAMILIES["Gemma3ForCausalLM"], "blk.0.attn_q_norm.weight", norm, 1, 1).tolist() == [1, 1, 1]
    assert to_gguf(FAMILIES["Qwen3ForCausalLM"], "blk.0.attn_q_norm.weight", norm, 1, 1).tolist() == [0, 0, 0]


def test_a_weight_that_the_family_lacks_is_named():
    with pytest.raises(KeyError, match="pre_feedforward"):
        tensor_names(FAMILIES["LlamaForCausalLM"], 1, ["model.layers.0.pre_feedforward_layernorm.weight"])


@pytest.mark.parametrize("kind", ["Qwen2ForCausalLM", "Qwen3ForCausalLM"])
def test_a_qwen_with_a_sliding_window_gets_no_gguf(kind: str):
    assert why_not({"architectures": [kind]}) is None
    assert "sliding window" in (why_not({"architectures": [kind], "use_sliding_window": True}) or "")
