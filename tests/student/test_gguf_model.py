"""A GGUF of each family, read back, computes what the model computes that it was written of."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import SPECIAL, make_model, make_tokenizer

from astudent.errors import RunError
from astudent.export.gguf_file import Contents, contents_of, read, write
from astudent.export.gguf_vocabulary import GgufTokenizer, Marks
from astudent.student.gguf_model import model_of

MARKS = Marks(bos=2, eos=1, pad=0, end_of_turn=6, stops=(1, 6), adds_bos=True)
IDS = torch.tensor([[2, *range(40, 80)]])


def written(model: Any, folder: Path) -> Contents:
    """The contents of a GGUF of a model whose weights F16 holds exactly."""
    for weight in model.parameters():
        weight.data = weight.data.half().float()
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    save_file({n: w.contiguous() for n, w in model.state_dict().items() if n not in tied}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(model.config.to_dict() | {"architectures": [type(model).__name__]}))
    make_tokenizer().backend_tokenizer.save(str(folder / "tokenizer.json"))  # pyright: ignore
    return contents_of(folder, MARKS, {})


@pytest.mark.parametrize("kind", ["gemma3", "llama", "smollm2", "qwen2", "qwen3", "mistral"])
def test_the_same_logits(kind: str, tmp_path: Path):
    model = make_model(kind, window=64, layers=3)
    if kind == "gemma3":
        model.config.layer_types = ["sliding_attention"] * 3
        model = type(model)(model.config)
    write(tmp_path / "tiny.gguf", written(model, tmp_path), "f16")
    again = model_of(read(tmp_path / "tiny.gguf"), tmp_path)
    with torch.no_grad():
        assert torch.allclose(model(IDS).logits, again(IDS).logits, atol=2e-5, rtol=1e-4)


def test_the_same_tokens(tmp_path: Path):
    contents = written(make_model("llama"), tmp_path)
    write(tmp_path / "tiny.gguf", contents, "f16")
    text = "".join(SPECIAL[5:]) + '{"prix": "élevé"}\n👩‍👧'
    ours = [2, *make_tokenizer()(text, add_special_tokens=False)["input_ids"]]  # pyright: ignore
    assert GgufTokenizer(read(tmp_path / "tiny.gguf").keys).encode(text) == ours


def test_what_is_no_gguf_is_said(tmp_path: Path):
    (tmp_path / "x.gguf").write_bytes(b"no gguf at all" * 9)
    with pytest.raises(RunError, match="no GGUF can be read"):
        read(tmp_path / "x.gguf")


def test_a_gguf_that_lacks_a_key_is_said(tmp_path: Path):
    contents = written(make_model("llama"), tmp_path)
    del contents.keys["llama.block_count"]
    write(tmp_path / "tiny.gguf", contents, "f16")
    with pytest.raises(RunError, match="it lacks 'block_count'"):
        model_of(read(tmp_path / "tiny.gguf"), tmp_path)


def test_a_weight_that_f16_cannot_hold_is_refused(tmp_path: Path):
    model = make_model("llama")
    contents = written(model, tmp_path)
    model.model.embed_tokens.weight.data[5, 3] = 7e4
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(RunError, match="beyond 65504"):
        write(tmp_path / "tiny.gguf", contents, "f16")


def test_a_gguf_whose_keys_do_not_fit_together_is_said(tmp_path: Path):
    contents = written(make_model("llama"), tmp_path)
    write(tmp_path / "heads.gguf", contents, "f16")
    file = read(tmp_path / "heads.gguf")
    for heads in (0, 3, 7, "many"):
        with pytest.raises(RunError):
            model_of(replace(file, keys=file.keys | {"llama.attention.head_count": heads}), tmp_path)
