"""Where an adapter comes from: its base, how it was trained, by what its own folder and its run's record say."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.errors import UsageError
from astudent.jsonl import sha256_of
from astudent.report.runs import read_json
from astudent.settings import Config, Prompt
from astudent.stage import record_path

CONFIG, WEIGHTS, ABOUT = "adapter_config.json", "adapter_model.safetensors", "astudent.json"
"""Files of an adapter's folder."""


@dataclass(frozen=True)
class Origin:
    """An adapter and its base (a hub id or a folder). What nobody wrote down is None."""

    adapter: Path
    base: str
    revision: str | None
    base_sha256: str | None
    trained_in_4bit: bool | None
    trained_in_bf16: bool | None
    gate: str | None
    prompt: Prompt

    @property
    def base_name(self) -> str:
        """The base without this machine's path."""
        return Path(self.base).resolve().name if Path(self.base).is_dir() else self.base

    def adapter_hashes(self) -> dict[str, str]:
        """SHA-256 of the adapter's weights and of its configuration, as fields of a record."""
        files = {"adapter_sha256": WEIGHTS, "adapter_config_sha256": CONFIG}
        return {name: sha256_of(self.adapter / file) for name, file in files.items()}


def origin_of(adapter: Path, base: str | None, config: Config) -> Origin:
    """`base` stands before what the adapter's own files say, and that before the configuration. UsageError without adapter."""
    if not (adapter / WEIGHTS).is_file() or not (adapter / CONFIG).is_file():
        raise UsageError(f"{adapter}: no adapter there", "Name a checkpoint-final with --adapter.")
    told, about = read_json(adapter / CONFIG), _about(adapter)
    record = read_json(record_path(adapter.parent))
    trained, facts = record.get("settings", {}), record.get("facts", {})
    named = base or about.get("base_model") or told.get("base_model_name_or_path") or config.training.base_model
    return Origin(
        adapter,
        named,
        _of(trained, "base_revision") or told.get("revision"),
        None if base else about.get("base_sha256"),
        _of(trained, "load_in_4bit"),
        _of(trained, "bf16"),
        about.get("gate"),
        Prompt(**facts["prompt"]) if "prompt" in facts else config.prompt,
    )


def _about(adapter: Path) -> dict[str, Any]:
    path = adapter / ABOUT
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _of(settings: dict[str, Any], key: str) -> Any:
    """The stage's own value: of alignment where there is one, else of training."""
    return settings.get(f"alignment.{key}", settings.get(f"training.{key}"))
