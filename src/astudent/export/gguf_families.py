"""How a model's config.json and weights are called in a GGUF, for the families that llama.cpp and Ollama serve.

Traps that are met here: Gemma's norms hold 1 + w, Llama's query and key rows are interleaved for the rotation, and a
runtime takes a RoPE base of its own where the file names none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gguf
import numpy as np

Config = Mapping[str, Any]
Array = np.ndarray[Any, Any]

GLOBAL_EVERY = 6
"""Of Gemma 3's layers every sixth sees everything, whatever the file says."""
_ROTATED = re.compile(r"blk\.\d+\.attn_(q|k)\.(weight|bias)$")


@dataclass(frozen=True)
class Family:
    """One of transformers' architectures, by its `name` in a GGUF. `rope_base` is what runtimes take where the file has none."""

    name: str
    tensors: gguf.MODEL_ARCH
    norms_add_one: bool = False
    interleaves: bool = False
    rope_base: float = 10000.0


_LLAMA = Family("llama", gguf.MODEL_ARCH.LLAMA, interleaves=True)
FAMILIES: dict[str, Family] = {
    "Gemma3ForCausalLM": Family("gemma3", gguf.MODEL_ARCH.GEMMA3, norms_add_one=True, rope_base=1e6),
    "LlamaForCausalLM": _LLAMA,
    "MistralForCausalLM": _LLAMA,
    "Qwen2ForCausalLM": Family("qwen2", gguf.MODEL_ARCH.QWEN2),
    "Qwen3ForCausalLM": Family("qwen3", gguf.MODEL_ARCH.QWEN3),
}
LOCAL_ROPE_BASE = 10000.0
"""What runtimes take for Gemma's sliding layers where the file has none."""


def family_of(config: Config) -> Family | None:
    """The family of a config.json; None where no GGUF can be written."""
    return FAMILIES.get((config.get("architectures") or [""])[0])


def why_not(config: Config) -> str | None:
    """Why a GGUF of this model would be served wrong; None where it is right."""
    family = family_of(config)
    if family is None:
        return f"architecture {(config.get('architectures') or ['unknown'])[0]} is not one that is written as GGUF"
    kinds = {rope.get("rope_type", "default") for rope in _ropes(config)}
    if kinds != {"default"}:
        return f"its RoPE is scaled ({', '.join(sorted(kinds - {'default'}))}), which is not written yet"
    if family.name == "gemma3":
        return _why_not_gemma(config)
    if family.name in ("qwen2", "qwen3") and config.get("use_sliding_window"):
        return "its layers have a sliding window, which the runtimes do not apply to this family"
    return None


def _why_not_gemma(config: Config) -> str | None:
    wanted = [
        "full_attention" if place % GLOBAL_EVERY == GLOBAL_EVERY - 1 else "sliding_attention"
        for place in range(config["num_hidden_layers"])
    ]
    if config.get("layer_types", wanted) != wanted:
        return "its global layers are not every sixth one, and the runtimes serve every sixth as global"
    if config.get("query_pre_attn_scalar", config["head_dim"]) != config["head_dim"]:
        return "its query_pre_attn_scalar is not head_dim, by which the runtimes scale"
    return None


def _ropes(config: Config) -> list[Mapping[str, Any]]:
    found = config.get("rope_parameters") or config.get("rope_scaling") or {}
    return [rope for rope in found.values() if isinstance(rope, Mapping)] or [found]


def rope_bases(config: Config) -> dict[str, float]:
    """`global`, and for Gemma `local`: the bases of a config.json, at its top level or in `rope_parameters`."""
    ropes = config.get("rope_parameters") or {}
    told = ropes.get("full_attention", ropes).get("rope_theta", config.get("rope_theta"))
    bases = {"global": float(told or 10000.0)}
    if family_of(config) is FAMILIES["Gemma3ForCausalLM"]:
        local = ropes.get("sliding_attention", {}).get("rope_theta", config.get("rope_local_base_freq"))
        bases["local"] = float(local or LOCAL_ROPE_BASE)
    return bases


def head_dim_of(config: Config) -> int:
    """Width of one head."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def context_of(config: Config) -> int:
    """The most tokens that a served model sees. Mistral's window is not applied by the runtimes, so it ends there."""
    longest = int(config.get("max_position_embeddings") or config["n_positions"])
    window = config.get("sliding_window") if family_of(config) is _LLAMA else None
    return min(longest, int(window or longest))


def shifts_window(config: Config) -> bool:
    """Whether Ollama counts this model's window otherwise than llama.cpp and transformers do."""
    return family_of(config) is FAMILIES["Gemma3ForCausalLM"]


def architecture_keys(config: Config, window_shift: int = 0) -> dict[str, Any]:
    """The GGUF's keys on the architecture. `window_shift` is added to Gemma's sliding window (positions)."""
    family = family_of(config)
    assert family is not None, "why_not comes first"
    bases, width = rope_bases(config), head_dim_of(config)
    keys: dict[str, Any] = {
        "block_count": config["num_hidden_layers"],
        "context_length": context_of(config),
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "vocab_size": config["vocab_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.key_length": width,
        "attention.value_length": width,
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "rope.dimension_count": width,
        "rope.freq_base": bases["global"],
    }
    if family.name == "gemma3":
        keys["attention.sliding_window"] = config["sliding_window"] + window_shift
        keys["rope.local.freq_base"] = keys["rope.freq_base_swa"] = bases["local"]  # Ollama's name, llama.cpp's name
        if config.get("final_logit_softcapping"):
            keys["final_logit_softcapping"] = float(config["final_logit_softcapping"])
    return {"general.architecture": family.name, **{f"{family.name}.{key}": value for key, value in keys.items()}}


def tensor_names(family: Family, layers: int, names: list[str]) -> dict[str, str]:
    """transformers' name -> GGUF's. KeyError for a weight that the family does not have."""
    known = gguf.get_tensor_name_map(family.tensors, layers)
    found = {name: known.get_name(name, try_suffixes=(".weight", ".bias")) for name in names}
    if unknown := [name for name, other in found.items() if other is None]:
        raise KeyError(unknown[0])
    return {name: str(other) for name, other in found.items()}


def to_gguf(family: Family, name: str, weight: Array, heads: int, kv_heads: int) -> Array:
    """A weight as the GGUF's tensor `name` holds it."""
    if family.norms_add_one and name.endswith("norm.weight"):
        return weight + 1
    if family.interleaves and (found := _ROTATED.match(name)):
        return _halves(weight, heads if found[1] == "q" else kv_heads, 2)
    return weight


def from_gguf(family: Family, name: str, weight: Array, heads: int, kv_heads: int) -> Array:
    """What `to_gguf` does, undone."""
    if family.norms_add_one and name.endswith("norm.weight"):
        return weight - 1
    if family.interleaves and (found := _ROTATED.match(name)):
        count = heads if found[1] == "q" else kv_heads
        return _halves(weight, count, weight.shape[0] // count // 2)
    return weight


def _halves(weight: Array, heads: int, parts: int) -> Array:
    """Within each head, `parts` runs of rows become interleaved: the first of each, then the second of each, and so on."""
    split = weight.reshape(heads, parts, weight.shape[0] // heads // parts, *weight.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(weight.shape))
