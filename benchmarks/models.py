"""What the benchmarks run on: Gemma 3 270M's shape with random weights or the tiny student, and rows that share a prefix."""

import os
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from settings import ROOT, TRAINING, Arrangement
from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig

from astudent.student.lean import make_lean
from astudent.student.load import Student, assemble
from astudent.student.supervision import Encoded

TINY = ROOT / "data/tiny_student"
REQUEST, ANSWER = (18, 33), (80, 150)
"""Tokens of a row's own part, drawn evenly; the embedded run's rows are of this length."""


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def gemma_270m(dtype: torch.dtype, layers: int = 18) -> Any:
    """Gemma 3 270M as its publisher shaped it, with random weights."""
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=262144,
        hidden_size=640,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        intermediate_size=2048,
        sliding_window=512,
        query_pre_attn_scalar=256,
        max_position_embeddings=32768,
        layer_types=["full_attention" if place % 6 == 5 else "sliding_attention" for place in range(layers)],
        tie_word_embeddings=True,
    )
    return _in_dtype(Gemma3ForCausalLM(config), dtype)


def tiny_student(dtype: torch.dtype) -> Any:
    """The project's own tiny student."""
    return _in_dtype(AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32), dtype)


MODELS = {"Gemma 3 270M's shape": gemma_270m, "the tiny student": tiny_student}


def _in_dtype(model: Any, dtype: torch.dtype) -> Any:
    for parameter in model.parameters():  # rotary tables stay in float32, as transformers computes them
        parameter.data = parameter.data.to(device(), dtype)
    return model.to(device())


def with_adapter(model: Any) -> Any:
    """The default configuration's LoRA adapter but for its dropout, with an effect that is not zero, or A would have no gradient."""
    config = LoraConfig(
        r=TRAINING["lora_r"],
        lora_alpha=TRAINING["lora_alpha"],
        lora_dropout=0.0,
        target_modules=TRAINING["target_modules"],
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, config, autocast_adapter_dtype=False)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return model


def student(model: Any) -> Student:
    """The model as the stages have it. Its tokenizer is the tiny student's: random weights do not mind."""
    made = assemble(model, AutoTokenizer.from_pretrained(TINY), trainable=hasattr(model, "get_base_model"))
    make_lean(made.model)
    return made


def make_rows(asked: Arrangement, vocabulary: int) -> list[Encoded]:
    """The arrangement's rows, schema by schema; all tokens are drawn at random."""
    rng = np.random.default_rng(asked.prefix)
    rows = []
    for place in range(asked.rows):
        if place % asked.share == 0:
            schema = rng.integers(7, vocabulary, asked.prefix)
        request = rng.integers(7, vocabulary, rng.integers(*REQUEST, endpoint=True))
        request[0] = 7 + place % 2  # so that no two rows share more than the prefix by chance
        rows.append(answered(f"{place}", f"{place // asked.share}", np.concatenate([schema, request]), rng, vocabulary))
    return rows


def make_pairs(asked: Arrangement, vocabulary: int) -> list[tuple[Encoded, Encoded]]:
    """The same rows, each with a second answer to the same request."""
    rng = np.random.default_rng(asked.rows)
    return [
        (row, answered(row.row_id, row.schema_id, row.input_ids[: row.prompt_length], rng, vocabulary))
        for row in make_rows(asked, vocabulary)
    ]


def answered(row_id: str, schema_id: str, prompt: NDArray[Any], rng: np.random.Generator, vocabulary: int) -> Encoded:
    """A prompt with an answer of random tokens."""
    answer = rng.integers(7, vocabulary, rng.integers(*ANSWER, endpoint=True))
    ids = np.concatenate([prompt, answer]).astype(np.int32)
    roles, weights = np.zeros(len(answer), dtype=np.int8), np.ones(len(answer), dtype=np.float32)
    return Encoded(row_id, schema_id, ids, len(prompt), roles, weights)


def make_prompts(asked: Arrangement, tokenizer: Any) -> dict[str, list[str]]:
    """Texts of one schema: about `prefix` tokens that all share, then each row's own. A word and its space are two tokens of the tiny student's."""
    rng = np.random.default_rng(asked.prefix)
    words = sorted(piece for piece in tokenizer.get_vocab() if piece.isascii() and piece.isalpha() and len(piece) > 2)
    shared = " ".join(rng.choice(words, asked.prefix // 2))
    own = [" ".join(rng.choice(words, rng.integers(*REQUEST, endpoint=True) // 2)) for _ in range(asked.rows)]
    return {"schema": [f"{shared} {text}" for text in own]}
