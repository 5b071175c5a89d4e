"""What an export's folder holds, and how a later call or --verify finds it again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astudent.errors import RunError, UsageError
from astudent.export.gguf_file import Kind
from astudent.export.modelfile import Turn

RECORD = "export.json"
PROOF = "verify.json"
CARD = "README.md"


@dataclass(frozen=True)
class Package:
    """The folder of an export.

    fp32/ bf16/     the merged model with its tokenizer, as transformers loads it
    gguf/           the GGUF for llama.cpp and what is built on it
    ollama/         Modelfile, and for Gemma 3 a GGUF of its own
    """

    folder: Path

    @property
    def record(self) -> Path:
        """What was exported, with hashes."""
        return self.folder / RECORD

    def merged(self, precision: str) -> Path:
        """The merged model; `precision` is `fp32` or `bf16`."""
        return self.folder / precision

    def gguf(self, kind: Kind) -> Path:
        """The GGUF that any runtime reads as it is meant."""
        return self.folder / "gguf" / f"model-{kind}.gguf"

    def served(self, kind: Kind, shifts: bool) -> Path:
        """The GGUF for Ollama; one of its own where Ollama reads the window differently (`shifts`)."""
        return self.folder / "ollama" / f"model-{kind}.gguf" if shifts else self.gguf(kind)

    @property
    def modelfile(self) -> Path:
        """For `ollama create -f`."""
        return self.folder / "ollama" / "Modelfile"

    def read_record(self) -> "Record | None":
        """None where there is no export. RunError for a record that cannot be read."""
        if not self.record.is_file():
            return None
        try:
            told = json.loads(self.record.read_text(encoding="utf-8"))
            return Record(**told | {"turn": Turn(**told["turn"])})
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(
                f"{self.record}: no record of an export: {error}", "Delete the folder, or --fresh."
            ) from error

    def refuse_foreign(self) -> None:
        """UsageError for a folder that holds something else, which an export would replace."""
        if self.folder.exists() and not self.record.is_file() and any(self.folder.iterdir()):
            raise UsageError(f"{self.folder}: it holds something else than an export", "Name another --out-dir.")


@dataclass(frozen=True)
class Record:
    """export.json. `base_model` is a hub id, or a folder's name without its path; hashes are SHA-256. `prompt` is the one of
    training, `notes` say what a user should know, `files` each file's hash."""

    base_model: str
    base_sha256: str
    adapter_sha256: str
    adapter_config_sha256: str
    trained_in_4bit: bool | None
    gate: str | None
    quantize: Kind
    num_ctx: int
    turn: Turn
    parameters: dict[str, Any]
    prompt: dict[str, str]
    weights: int
    notes: list[str]
    files: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        return asdict(self)

    def is_of(self, other: "Record") -> bool:
        """Whether both are exports of the same adapter in the same way."""
        names = ("base_sha256", "adapter_sha256", "adapter_config_sha256", "quantize", "num_ctx", "prompt")
        return all(getattr(self, name) == getattr(other, name) for name in names)
