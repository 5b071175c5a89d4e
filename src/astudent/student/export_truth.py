"""What a right export says, made of the base and the adapter alone: the files of the export are held against it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from astudent.export import gguf_families as families
from astudent.export.causes import Truth
from astudent.export.gguf_families import Array
from astudent.export.gguf_vocabulary import vocabulary_keys
from astudent.student.load import Student
from astudent.student.loss import base_of
from astudent.student.merging import marks_of

WATCHED = 8
"""So many adapted weights tell whether the adapter is in."""


def config_of(student: Student) -> dict[str, Any]:
    """The base's config.json, with its architecture."""
    base = base_of(student.model)
    return base.config.get_text_config().to_dict() | {"architectures": [type(base).__name__]}


def truth_of(student: Student) -> Truth:
    """The truth on an adapter that is not merged."""
    config = config_of(student)
    family = families.family_of(config)
    assert family is not None, "why_not comes first"
    tokenizer = json.loads(student.tokenizer.backend_tokenizer.to_str())  # pyright: ignore
    keys = families.architecture_keys(config)
    keys |= vocabulary_keys(tokenizer, marks_of(student.tokenizer), config["vocab_size"])
    merged, base = _watched(student)
    norms = {
        name: weight.numpy(force=True)
        for name, weight in base_of(student.model).state_dict().items()
        if name.endswith("norm.weight")
    }
    return Truth(keys, *(_as_gguf(family, config, weights) for weights in (merged, base, norms)))


def _as_gguf(family: families.Family, config: Mapping[str, Any], weights: Mapping[str, Array]) -> dict[str, Array]:
    names = families.tensor_names(family, config["num_hidden_layers"], list(weights))
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    return {names[n]: families.to_gguf(family, names[n], weight, heads, kv_heads) for n, weight in weights.items()}


def _watched(student: Student) -> tuple[dict[str, Array], dict[str, Array]]:
    """Some weights with the adapter, and the same ones without it."""
    merged, base = {}, {}
    adapted = ((n, m) for n, m in student.model.named_modules() if hasattr(m, "get_delta_weight"))
    for name, module in islice(adapted, WATCHED):
        name = name.removeprefix("base_model.model.") + ".weight"
        base[name] = module.base_layer.weight.numpy(force=True)
        merged[name] = base[name] + module.get_delta_weight("default").numpy(force=True)
    return merged, base
