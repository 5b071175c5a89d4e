"""Where an adapter comes from: its base, how it was trained, by what its own folder and its run's record say."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.asking.trained import HINT, TrainingRecord, record_of
from astudent.errors import UsageError
from astudent.jsonl import sha256_of
from astudent.settings import Config, Prompt
from astudent.stage import record_path
from astudent.student.checkpoint import ABOUT, ADAPTER_FILES, check_adapter

CONFIG, WEIGHTS = ADAPTER_FILES


@dataclass(frozen=True)
class Origin:
    """An adapter and its base (a hub id or a folder; the training called it `trained_base`). What nobody wrote down is None."""

    adapter: Path
    base: str
    revision: str | None
    base_sha256: str | None
    trained_in_4bit: bool | None
    trained_in_bf16: bool | None
    gate: str | None
    prompt: Prompt
    trained_base: str | None = None

    @property
    def base_name(self) -> str:
        """The base without this machine's path."""
        return Path(self.base).resolve().name if Path(self.base).is_dir() else self.base

    @property
    def why_base_unchecked(self) -> str | None:
        """Why the base's identity says nothing; None where it was taken of the base in full precision."""
        if self.base_sha256 is None:
            return "nobody wrote down which one the adapter was trained on"
        if self.trained_in_4bit is None or self.trained_in_bf16 is None:
            return "no record tells in which precision the adapter was trained"
        few = "4 bits" if self.trained_in_4bit else "bfloat16" if self.trained_in_bf16 else None
        return few and f"the adapter was trained on it in {few}, where it has another one"

    def adapter_hashes(self) -> dict[str, str]:
        """SHA-256 of the adapter's weights and of its configuration, as fields of a record."""
        files = {"adapter_sha256": WEIGHTS, "adapter_config_sha256": CONFIG}
        return {name: sha256_of(self.adapter / file) for name, file in files.items()}


def origin_of(adapter: Path, base: str | None, config: Config | None) -> Origin:
    """`base` stands before what the adapter's own files say; `config` is the one that was named, for what no record says.

    UsageError without adapter, for a student of images, for a record that is none, and where nothing tells the prompt.
    """
    check_adapter(adapter)
    adapter = adapter.resolve()
    told, about = _object(adapter / CONFIG), _about(adapter)
    record = _record(adapter)
    if "vision" in (record and record.modality, config and not record and config.training.modality):
        raise UsageError(f"{adapter}: a student of images, which export does not write", "Name one of texts.")
    named = base or about.get("base_model") or told.get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise UsageError(f"{adapter}: it does not say on which base it was trained", "Name it with --base-model.")
    return Origin(
        adapter,
        named,
        None if base else (record and record.told("base_revision")) or told.get("revision"),
        about.get("base_sha256"),
        _in_either(adapter, about, "load_in_4bit"),
        _in_either(adapter, about, "bf16"),
        about.get("gate"),
        _prompt(adapter, record, config),
        about.get("base_model"),
    )


def _prompt(adapter: Path, record: TrainingRecord | None, config: Config | None) -> Prompt:
    if record is not None and "prompt" in record.facts:
        return record.prompt
    if config is None:
        place = record_path(adapter.parent)
        raise UsageError(f"{place}: it does not say with which prompt the adapter was trained", HINT)
    return config.prompt


def _record(adapter: Path) -> TrainingRecord | None:
    """None where no run wrote one."""
    return record_of(adapter) if record_path(adapter.parent).exists() else None


def _in_either(adapter: Path, about: dict[str, Any], key: str) -> bool | None:
    """Whether the adapter's own training, or the SFT that it went on from, had the setting; None where one does not tell."""
    record = _record(adapter)
    told = [record and record.told(key)]
    if isinstance(about.get("sft_adapter"), str):
        sft = _record(Path(about["sft_adapter"]).resolve())
        told.append(sft and sft.told(key))
    return True if True in told else None if None in told else False


def _about(adapter: Path) -> dict[str, Any]:
    return _object(adapter / ABOUT) if (adapter / ABOUT).is_file() else {}


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}", "Take the adapter from its training again.") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path}: no JSON object", "Take the adapter from its training again.")
    return value
