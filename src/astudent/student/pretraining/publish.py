"""From a pre-training checkpoint to the folder that transformers loads and Ollama imports."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from astudent.student.pretraining.model import STEP_KEY, new_model, set_window

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] }}<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
# Without bos_token and add_bos_token Ollama imports a model whose prompts silently start with <pad>.
TOKENIZER = {
    "tokenizer_class": "GemmaTokenizer",
    "add_bos_token": True,
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "model_max_length": 8192,
}


def publish(work: Path, folder: Path) -> None:
    """Write weights (bfloat16), config and tokenizer of the run in `work` to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    model = new_model(state["model"]["model.embed_tokens.weight"].shape[0])
    set_window(model, state["window"])
    model.load_state_dict(state["model"])
    model.set_attn_implementation("sdpa")
    model.bfloat16().save_pretrained(folder)
    _write_config(folder / "config.json", model.config.rope_parameters, state["step"])
    (folder / "generation_config.json").unlink(missing_ok=True)
    _write_tokenizer(work / "tokenizer.model", folder)


def _write_config(path: Path, rope: Any, step: int) -> None:
    """Ollama reads the RoPE bases at the top level, where transformers 5 no longer writes them; the next run reads the step."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {
        "rope_theta": rope["full_attention"]["rope_theta"],
        "rope_local_base_freq": rope["sliding_attention"]["rope_theta"],
        STEP_KEY: step,
    }
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write_tokenizer(model: Path, folder: Path) -> None:
    shutil.copyfile(model, folder / "tokenizer.model")
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENIZER, indent=2) + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    AutoTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
