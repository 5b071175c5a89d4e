"""Loading the student: tokenizer, base model and adapter, on the backend that the machine allows.

`unsloth` on a CUDA GPU, `transformers` with `peft` elsewhere; the same adapter format and supervision on both.
Nothing is downgraded silently: 4 bits or bfloat16 asked for where they cannot be had is an error.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import torch

if torch.cuda.is_available() and importlib.util.find_spec("unsloth"):
    import unsloth  # pyright: ignore[reportMissingImports]  # noqa: F401  # it patches the others, so it comes first

from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_log

from astudent.errors import UsageError
from astudent.settings import Learning
from astudent.student import processes
from astudent.student.attention import PREFIX_SHARED
from astudent.student.checkpoint import ADAPTER_FILES, check_adapter
from astudent.student.loss import FULL_PRECISION, base_of, install_token_losses
from astudent.student.prompt import PLAIN_TEMPLATE

transformers_log.set_verbosity_error()
transformers_log.disable_progress_bar()

PACKED_ARCHITECTURES = frozenset(
    {"Gemma3ForCausalLM", "LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "MistralForCausalLM"}
)
"""Architectures whose attention is known to be what `prefix_shared` computes (SmolLM2 is a Llama)."""


@dataclass
class Student:
    """A model ready for use. `can_pack` says whether its architecture is one that packs are known for, `decodes_packed` whether answers
    are decoded against their shared prefix; the self-check may take that back."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    backend: str
    base_model: str
    can_pack: bool
    decodes_packed: bool
    base_sha256: str

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def save_texts(self, folder: Path) -> None:
        """Saves what turns texts into the model's inputs."""
        self.tokenizer.save_pretrained(str(folder))

    @property
    def pad_id(self) -> int:
        pad = self.tokenizer.pad_token_id
        return int(pad) if pad is not None else 0  # pyright: ignore[reportArgumentType]


def resolve_backend(backend: str) -> str:
    """`unsloth` or `transformers`. UsageError when the asked one cannot run here."""
    has_cuda, has_unsloth = torch.cuda.is_available(), importlib.util.find_spec("unsloth") is not None
    if backend == "unsloth" and not has_cuda:
        raise UsageError("backend unsloth: no CUDA GPU answers", "Set training.backend to transformers or auto.")
    if backend in ("unsloth", "auto") and has_cuda and not has_unsloth:
        raise UsageError("a CUDA GPU answers, but unsloth is not installed", "Run: uv sync --frozen --extra gpu")
    if backend == "auto":
        return "unsloth" if has_cuda else "transformers"
    return backend


def refuse_impossible(settings: Learning) -> None:
    """UsageError where 4 bits or bfloat16 are asked for and the machine has neither."""
    if settings.load_in_4bit and not torch.cuda.is_available():
        raise UsageError("load_in_4bit: 4-bit loading needs a CUDA GPU and none answers", "Set load_in_4bit to false.")
    if settings.load_in_4bit and importlib.util.find_spec("bitsandbytes") is None:
        raise UsageError("load_in_4bit: bitsandbytes is not installed", "Run: uv sync --frozen --extra gpu")
    if settings.bf16 and not (torch.cuda.is_available() and torch.cuda.is_bf16_supported()):
        raise UsageError("bf16: bfloat16 needs a CUDA GPU that has it (Ampere or later)", "Set bf16 to false.")


def load_tokenizer(base: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """The base's tokenizer; it gets the template named `plain` when it brings none. UsageError when it cannot be had."""
    tokenizer = from_hub(AutoTokenizer, base, revision)
    if not tokenizer.is_fast:
        raise UsageError(f"{base}: its tokenizer is not a fast one, so token offsets are unknown", "Take another base.")
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"
    return tokenizer


def load_student(settings: Learning, adapter: str | Path | None = None, *, trainable: bool = False) -> Student:
    """Tokenizer and base, with the adapter of a folder on top where one is named.

    UsageError for what this machine cannot do, a model that cannot be had, or a folder without adapter.
    """
    refuse_impossible(settings)
    processes.join()
    backend = resolve_backend(settings.backend)
    if adapter is not None:
        check_adapter(adapter)
    tokenizer = load_tokenizer(settings.base_model, settings.base_revision)
    model = load_unsloth(settings) if backend == "unsloth" else load_transformers(settings)
    return assemble(model, tokenizer, adapter, backend=backend, base_model=settings.base_model, trainable=trainable)


def assemble(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    adapter: str | Path | None = None,
    *,
    backend: str = "transformers",
    base_model: str = "",
    trainable: bool = False,
) -> Student:
    """A student from parts that are loaded already.

    Without `trainable` every weight is frozen, and in full precision the adapter is multiplied into the base.
    """
    base = base_of(model)
    can_pack = type(base).__name__ in PACKED_ARCHITECTURES and not _is_bidirectional(base)
    if can_pack:
        base.set_attn_implementation(PREFIX_SHARED)
    install_token_losses(base, "supervised" if can_pack else "full")
    base_sha256 = identity_of_base(model)  # now: training may shard the weights
    if adapter is not None:
        model = _put_on(model, adapter, trainable)
    if not trainable:
        is_exact = base.get_input_embeddings().weight.dtype in FULL_PRECISION and not getattr(
            base, "is_quantized", False
        )
        model = model.merge_and_unload() if adapter is not None and is_exact else model
        model.requires_grad_(False).eval()
    return Student(model, tokenizer, backend, base_model, can_pack, decodes_packed=can_pack, base_sha256=base_sha256)


def identity_of_base(model: Any) -> str:
    """A hash of the base's configuration and of a sample of its weights, to tell bases apart by content."""
    digest = hashlib.sha256(json.dumps(base_of(model).config.to_dict(), sort_keys=True, default=str).encode())
    for name, parameter in base_of(model).named_parameters():
        if "lora_" not in name:
            flat = parameter.detach().reshape(-1)
            sample = flat[:: max(1, flat.numel() // 64)].float().cpu()
            digest.update(name.replace("base_layer.", "").encode() + sample.numpy().tobytes())
    return digest.hexdigest()


def _is_bidirectional(base: Any) -> bool:
    return bool(getattr(base.config, "use_bidirectional_attention", False))


def load_base(
    base: str,
    *,
    revision: str | None = None,
    device: torch.device | None = None,
    kind: Any = AutoModelForCausalLM,
    **options: Any,
) -> Any:
    """A model of transformers' `kind` from safetensors, on `device` (None: the CPU). UsageError when it cannot be had."""
    if device is not None and device.type != "cpu":
        options["device_map"] = {"": device}
    return from_hub(kind, base, revision, use_safetensors=True, **options)


def _put_on(model: Any, adapter: str | Path, trainable: bool) -> Any:
    """The model under PEFT with a folder's adapter. UsageError for one that was made for another model."""
    from peft import PeftModel, get_peft_model_state_dict

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Found missing adapter keys")  # refused below
            model = PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, KeyError) as error:
        raise _unfit(adapter, " ".join(str(error).split())[:200]) from error
    with safe_open(Path(adapter) / ADAPTER_FILES[1], "pt") as file:
        given = {name for name in file.keys() if "lora_" in name}  # noqa: SIM118  # no dictionary
    taken = {name for name in get_peft_model_state_dict(model, save_embedding_layers=False) if "lora_" in name}
    if given != taken:
        raise _unfit(adapter, f"{len(given ^ taken)} of its matrices have no counterpart, such as {min(given ^ taken)}")
    return model


def _unfit(adapter: str | Path, why: str) -> UsageError:
    return UsageError(f"{adapter}: this adapter does not fit the model: {why}", "Name the base that it was trained on.")


def load_transformers(settings: Learning, kind: Any = AutoModelForCausalLM) -> Any:
    """The base of the settings on the machine's device. UsageError when it cannot be had."""
    options: dict[str, Any] = {"dtype": torch.bfloat16 if settings.bf16 else torch.float32}
    if settings.load_in_4bit:
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=options["dtype"]
        )
    device = torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else None
    return load_base(settings.base_model, revision=settings.base_revision, device=device, kind=kind, **options)


def load_unsloth(settings: Learning) -> Any:
    """The base of the settings as Unsloth loads it, vision-language models too."""
    from unsloth import FastModel  # pyright: ignore[reportMissingImports]

    model, _ = FastModel.from_pretrained(
        model_name=settings.base_model,
        revision=settings.base_revision,
        max_seq_length=settings.max_seq_length,
        dtype=torch.bfloat16 if settings.bf16 else None,
        load_in_4bit=settings.load_in_4bit,
        full_finetuning=False,
        trust_remote_code=False,
    )
    return model


def from_hub(kind: Any, base: str, revision: str | None, **options: Any) -> Any:
    """from_pretrained with one clear line for each way in which it fails."""
    if os.path.isdir(base):
        _refuse_empty_folder(Path(base))
    try:
        return kind.from_pretrained(base, revision=revision, trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        raise UsageError(*_why(base, error)) from error


def _refuse_empty_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        hint = "Name a folder with config.json, safetensors and a tokenizer."
        if (folder / "adapter_config.json").is_file():
            hint = "It holds an adapter: name its base as base_model, and the folder as adapter."
        raise UsageError(f"{folder}: no model folder, config.json is missing", hint)


def _why(base: str, error: Exception) -> tuple[str, str]:
    names = {type(e).__name__ for e in _chain(error)}
    text = " ".join(str(e) for e in _chain(error))
    if "GatedRepoError" in names or "gated repo" in text:
        return f"{base} is gated on the model hub", "Accept its licence there, then run `hf auth login`."
    if os.path.isdir(base):
        return f"{base}: {str(error).splitlines()[0][:200]}", "Mend that folder, or name another base_model."
    if "RepositoryNotFoundError" in names or "is not a valid model identifier" in text:
        return f"{base}: neither a folder here nor a model on the hub", "Mend base_model, or run `hf auth login`."
    if "RevisionNotFoundError" in names:
        return f"{base} has no such revision on the model hub", "Mend base_revision."
    if names & {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectionError", "ConnectTimeout", "ConnectError"}:
        return (
            f"{base} is not in the local cache and the model hub does not answer",
            "Set base_model to a local folder.",
        )
    return f"{base} cannot be loaded: {str(error).splitlines()[0][:200]}", "Mend base_model, or take a local folder."


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain
