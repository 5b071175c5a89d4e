"""An adapter multiplied into its base, in full precision, and saved as a folder that transformers loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache
from transformers import AutoConfig, PreTrainedTokenizerBase
from transformers.utils.hub import cached_file

from astudent.errors import UsageError
from astudent.export.gguf_families import FAMILIES, family_of, rope_bases
from astudent.export.gguf_vocabulary import Marks
from astudent.export.modelfile import Turn
from astudent.student.checkpoint import check_adapter
from astudent.student.load import Student, assemble, from_hub, identity_of_base, load_base, load_tokenizer
from astudent.student.loss import base_of
from astudent.student.prompt import chat_format

PLACES = ("name_or_path", "vocab_file", "tokenizer_file", "special_tokens_map_file", "is_local", "local_files_only")
"""Keys of a tokenizer_config.json that tell where a tokenizer was loaded from."""
PIECES = "tokenizer.model"
_SENTINEL = "@@answer@@"
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def load_unmerged(base: str, revision: str | None, adapter: Path | None) -> Student:
    """The base in float32 with the adapter beside it, not multiplied in. UsageError for a base in few bits, or one that the
    adapter does not fit."""
    if adapter is not None:
        check_adapter(adapter)
    tokenizer = load_tokenizer(base, revision)
    if getattr(from_hub(AutoConfig, base, revision), "quantization_config", None) is not None:
        hint = "Name the same model in full precision with --base-model."
        raise UsageError(f"{base} is stored in few bits, and merging into it would lose precision", hint)
    model = load_base(base, revision=revision, dtype=torch.float32)
    student = assemble(model, tokenizer, adapter, base_model=base, trainable=True)
    student.model.requires_grad_(False).eval()
    return student


def identity_as(student: Student, name: str) -> str:
    """The base's identity as it is where the base is loaded by that name, which is a part of it."""
    config: Any = base_of(student.model).config
    own, config._name_or_path = config._name_or_path, name
    try:
        return identity_of_base(student.model)
    finally:
        config._name_or_path = own


def merge(student: Student) -> Student:
    """The same student with the adapter multiplied in, which changes the given one."""
    merged = student.model.merge_and_unload() if hasattr(student.model, "merge_and_unload") else student.model
    return assemble(merged, student.tokenizer, base_model=student.base_model)


def save_merged(student: Student, folder: Path, precision: str, revision: str | None) -> None:
    """Weights, configuration and every file of the tokenizer, none of which tells a path of this machine."""
    model = base_of(student.model)
    dtype = PRECISIONS[precision]
    tied = model.all_tied_weights_keys if model.config.tie_word_embeddings else {}
    state = {name: weight.to(dtype) for name, weight in model.state_dict().items() if name not in tied}
    model.save_pretrained(folder, state_dict=state)
    _mend_config(folder / "config.json", str(dtype).removeprefix("torch."))
    save_tokenizer(student.tokenizer, folder, student.base_model, revision)


def _mend_config(path: Path, dtype: str) -> None:
    """The precision of what was saved, which transformers takes from the loaded model. And Ollama reads Gemma's RoPE bases at the
    top level, where transformers 5 no longer writes them."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    config["dtype"] = dtype
    if family_of(config) is FAMILIES["Gemma3ForCausalLM"]:
        bases = rope_bases(config)
        config |= {"rope_theta": bases["global"], "rope_local_base_freq": bases["local"]}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path, base: str, revision: str | None) -> None:
    """tokenizer.json, tokenizer_config.json, the chat template, and the base's tokenizer.model where it has one."""
    tokenizer.save_pretrained(str(folder))
    path = folder / "tokenizer_config.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told = {key: value for key, value in told.items() if key not in PLACES}
    names = {f"{name}_token": getattr(tokenizer, f"{name}_token") for name in ("bos", "eos", "pad", "unk")}
    told |= {key: str(text) for key, text in names.items() if text is not None}
    told["add_bos_token"] = marks_of(tokenizer).adds_bos
    path.write_text(json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    if (pieces := _pieces_of(base, revision)) is not None:
        shutil.copyfile(pieces, folder / PIECES)


def _pieces_of(base: str, revision: str | None) -> str | None:
    try:
        return cached_file(base, PIECES, revision=revision, _raise_exceptions_for_missing_entries=False)
    except OSError:
        return None


def may_lack_pieces(base: str, revision: str | None) -> bool:
    """Whether the base may have a tokenizer.model that was not to be had, as the hub did not answer."""
    if Path(base).is_dir() or _pieces_of(base, revision) is not None:
        return False
    return try_to_load_from_cache(base, PIECES, revision=revision) is not _CACHED_NO_EXIST


def marks_of(tokenizer: PreTrainedTokenizerBase) -> Marks:
    """The tokenizer's own tokens, and whether a prompt begins with the BOS."""
    form, ids = chat_format(tokenizer), {}
    for name in ("bos", "eos", "pad"):
        number: Any = getattr(tokenizer, f"{name}_token_id")
        ids[name] = None if number is None else int(number)
    adds = tokenizer.bos_token is not None and form.before.startswith(str(tokenizer.bos_token))
    return Marks(**ids, end_of_turn=form.end_of_turn, stops=form.stop_ids, adds_bos=adds)


def turn_of(tokenizer: PreTrainedTokenizerBase) -> Turn:
    """The texts around requests and answers, as the chat template writes them."""
    form = chat_format(tokenizer)
    before = form.before
    if marks_of(tokenizer).adds_bos:
        before = before.removeprefix(str(tokenizer.bos_token))
    messages = [{"role": "user", "content": "request"}, {"role": "assistant", "content": _SENTINEL}]
    closing = str(tokenizer.apply_chat_template(messages, tokenize=False)).rpartition(_SENTINEL)[2]
    return Turn(before, form.after, closing, str(tokenizer.convert_ids_to_tokens(form.end_of_turn)))
