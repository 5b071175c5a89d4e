"""What an export's folder holds, and how a later call or --verify finds it again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astudent.errors import UsageError
from astudent.export.gguf_file import Kind
from astudent.export.modelfile import Turn
from astudent.jsonl import sha256_of

RECORD = "export.json"
PROOF = "verify.json"
CARD = "README.md"
HINT = "Name another --out-dir."
WRITER = 2
"""Counted up when what an export writes changes, so that an older one is written anew."""


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
        """None where there is no export. UsageError for a record that is none."""
        if not self.record.is_file():
            return None
        try:
            told = json.loads(self.record.read_text(encoding="utf-8"))
            return Record(**told | {"turn": Turn(**told["turn"]), "files": dict(told["files"])})
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            hint = "Name another --out-dir, or delete that folder yourself."
            raise UsageError(f"{self.record}: no record of an export: {error}", hint) from error

    def refuse_foreign(self) -> None:
        """UsageError for a folder that holds something else, or more, than an export, which a new one would replace; and for
        the one that this command works in."""
        if Path.cwd().is_relative_to(self.folder.resolve()):
            raise UsageError(f"{self.folder}: it holds the working directory", HINT)
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise UsageError(f"{self.folder}: no folder", HINT)
        record = self.read_record()
        known = {RECORD, PROOF, CARD, *record.files} if record is not None else set()
        if others := sorted(self._names() - known):
            what = "something else than an export" if record is None else "more than an export"
            raise UsageError(f"{self.folder}: it holds {what}, such as {others[0]}", HINT)

    def _names(self) -> set[str]:
        """Paths of all files from the folder."""
        found = (path for path in self.folder.rglob("*") if path.is_symlink() or not path.is_dir())
        return {path.relative_to(self.folder).as_posix() for path in found}

    def changed(self, record: "Record") -> list[str]:
        """Files that are not as the record says, and what is with them."""
        found = []
        for name, digest in record.files.items():
            path = self.folder / name
            if not path.is_file():
                found.append(f"{name} is not there")
            elif sha256_of(path) != digest:
                found.append(f"{name} is not as it was written")
        return found


@dataclass(frozen=True)
class Record:
    """export.json. `base_model` is a hub id, or a folder's name without its path; hashes are SHA-256. `prompt` is the one of
    training, `notes` say what a user should know, `files` each file's hash, `writer` in which way it was written."""

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
    writer: int = 1

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        return asdict(self)

    def is_of(self, other: "Record") -> bool:
        """Whether both are exports of the same adapter in the same way."""
        own = {"files", "notes"}  # known when it is written
        return all(value == other.as_json()[name] for name, value in self.as_json().items() if name not in own)
