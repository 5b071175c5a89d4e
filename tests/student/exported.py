"""A tiny random Gemma 3 with an adapter, exported, and the faults that an export may have; the tokenizer is the tiny student's."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict
from safetensors.torch import save_file
from tiny_models import add_lora
from transformers import AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig

from astudent.config import load_config
from astudent.export.gguf_file import Contents, contents_of, write
from astudent.export.gguf_vocabulary import NORMAL
from astudent.export.origin import origin_of
from astudent.export.package import Package
from astudent.export.proof import Proof
from astudent.export.served import Server
from astudent.export.verify import Verification
from astudent.export.write import Wish, export
from astudent.settings import Config
from astudent.student.merging import load_unmerged, marks_of, save_merged

ROOT = Path(__file__).parents[2]
TOKENIZER = ROOT / "data" / "tiny_student"
WINDOW, PROMPTS, ANSWER = 8, 10, 8


def make_base(folder: Path, layer_types: list[str] | None = None) -> Path:
    """A random model in the order of layers that runtimes serve, or in another one."""
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=2048,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=6,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        query_pre_attn_scalar=32,
        sliding_window=WINDOW,
        max_position_embeddings=1024,
        layer_types=layer_types,
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
            "full_attention": {"rope_type": "default", "rope_theta": 1e5},
        },
        bos_token_id=2,
        eos_token_id=[1, 6],
        pad_token_id=0,
        initializer_range=0.3,
    )
    model = Gemma3ForCausalLM(config)
    for name, weight in model.named_parameters():
        if name.endswith("norm.weight"):
            weight.data = 0.3 * torch.randn_like(weight)
    model.save_pretrained(folder)
    for name in ("tokenizer.model", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(TOKENIZER / name, folder)
    return folder


def make_adapter(base: Path, folder: Path) -> Path:
    """An adapter whose effect is large, as training leaves one."""
    folder.mkdir(parents=True)
    model = add_lora(Gemma3ForCausalLM.from_pretrained(base))
    model.peft_config["default"].base_model_name_or_path = str(base)
    model.peft_config["default"].save_pretrained(folder)
    save_file(get_peft_model_state_dict(model, save_embedding_layers=False), folder / "adapter_model.safetensors")
    return folder


def settings(folder: Path, **evaluation: Any) -> Config:
    """The embedded run's, without its data set and with short answers."""
    told: dict[str, Any] = {"dataset": str(folder / "none.jsonl"), "max_new_tokens": ANSWER} | evaluation
    return load_config(ROOT / "config/embedded.json", {f"evaluation.{key}": value for key, value in told.items()})


def exported(folder: Path, layer_types: list[str] | None = None) -> Verification:
    """An export of the random model, ready to be verified."""
    adapter = make_adapter(make_base(folder / "base", layer_types), folder / "run" / "checkpoint-final")
    config = settings(folder)
    origin = origin_of(adapter, None, config)
    record = export(Wish(origin, folder / "out"))
    return Verification(Package(folder / "out"), record, origin, config, count=PROMPTS)


def copied(verification: Verification, folder: Path) -> Verification:
    """The same export in another folder, to be damaged there."""
    shutil.copytree(verification.package.folder, folder)
    return replace(verification, package=Package(folder))


def verified(verification: Verification, server: Server | None = None) -> Proof:
    """The proof, by the server too where one is given."""
    return replace(verification, server=server).run()


def rewritten(verification: Verification, path: Path, change: Callable[[Contents], Contents], shift: int = 0) -> None:
    """Writes a GGUF of the merged model with a fault."""
    folder = verification.package.merged("fp32")
    marks = marks_of(AutoTokenizer.from_pretrained(folder))
    write(path, change(contents_of(folder, marks, {"general.name": "faulty"}, shift)), "f16")


def with_keys(change: Callable[[dict[str, Any]], Any]) -> Callable[[Contents], Contents]:
    """A fault in the keys of a GGUF."""

    def changed(contents: Contents) -> Contents:
        change(contents.keys)
        return contents

    return changed


def without_bos(keys: dict[str, Any]) -> None:
    del keys["tokenizer.ggml.bos_token_id"]


def without_rope(keys: dict[str, Any]) -> None:
    for key in [key for key in keys if "freq_base" in key]:
        del keys[key]


def other_vocabulary(keys: dict[str, Any]) -> None:
    """All ordinary pieces one place further on."""
    tokens, types = keys["tokenizer.ggml.tokens"], keys["tokenizer.ggml.token_type"]
    places = [place for place, kind in enumerate(types) if kind == NORMAL]
    moved = [tokens[place] for place in places]
    for place, text in zip(places, [*moved[1:], moved[0]], strict=True):
        tokens[place] = text


def plain_norms(contents: Contents) -> Contents:
    return replace(contents, family=replace(contents.family, norms_add_one=False))


IN_GGUF: dict[str, tuple[Callable[[Contents], Contents], int, str]] = {
    "BOS missing": (with_keys(without_bos), 0, "BOS missing"),
    "norms without the added one": (plain_norms, 0, "norms stored without the added one"),
    "RoPE bases lost": (with_keys(without_rope), 0, "RoPE base lost"),
    "window of one more": (lambda contents: contents, 1, "another sliding window"),
    "another vocabulary": (with_keys(other_vocabulary), 0, "a tokenizer of another vocabulary"),
}
"""Faults of a GGUF: the change, what is added to the window, and the cause that is named."""


def leave_unmerged(verification: Verification, path: Path, shift: int = 0) -> None:
    """The base in the place of the merged model, in the folder and in the GGUF."""
    student = load_unmerged(verification.origin.base, None, None)
    save_merged(student, verification.package.merged("fp32"), "fp32", None)
    rewritten(verification, path, lambda contents: contents, shift)


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
