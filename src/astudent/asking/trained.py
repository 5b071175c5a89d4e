"""How an adapter was trained, by the record of its run: on which base, with which prompt."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.config import load_config
from astudent.errors import UsageError
from astudent.settings import Learning, Prompt
from astudent.stage import record_path

SECTIONS = ("training", "alignment")
HINT = "Name the configuration of its training with --config."


@dataclass(frozen=True)
class Trained:
    """What it takes to load and to ask the student."""

    learning: Learning
    prompt: Prompt


def how_trained(adapter: Path, config: str | None) -> Trained:
    """By the configuration where one is named, else by the record beside the adapter (of stage 06 or 10).

    UsageError where neither says it.
    """
    if config is not None:
        loaded = load_config(config)
        return _of_text(Trained(loaded.training, loaded.prompt), loaded.training.modality, config)
    record = record_of(adapter)
    if record.section is None or "prompt" not in record.facts:
        what = "base model" if record.section is None else "prompt"
        raise UsageError(f"{record.path}: it does not say with which {what} the adapter was trained", HINT)
    own = {key: record.told(key) for key in Learning.annotations() if f"{record.section}.{key}" in record.settings}
    trained = Trained(_section(Learning, own, record.path), record.prompt)
    return _of_text(trained, record.modality, str(record.path))


@dataclass(frozen=True)
class TrainingRecord:
    """What a training wrote down beside its adapter. `section` is that of its settings, of stage 06 or 10."""

    path: Path
    settings: dict[str, Any]
    facts: dict[str, Any]

    @property
    def section(self) -> str | None:
        """None where it names no base model."""
        return next((name for name in SECTIONS if f"{name}.base_model" in self.settings), None)

    def told(self, key: str) -> Any:
        """A setting of the training; None where it tells none."""
        return self.settings.get(f"{self.section}.{key}")

    @property
    def modality(self) -> str:
        """What the student reads beside its words."""
        return self.told("modality") or "text"

    @property
    def prompt(self) -> Prompt:
        """The prompt of the training, which `facts` have to hold. UsageError for one that is none."""
        return _section(Prompt, self.facts["prompt"], self.path)


def record_of(adapter: Path) -> TrainingRecord:
    """The record beside the adapter. UsageError where none is, or what is there is none."""
    path = record_path(adapter.resolve().parent)
    told = _read(path)
    return TrainingRecord(path, told["settings"], told["facts"])


def _of_text(trained: Trained, modality: str, where: str) -> Trained:
    if modality != "text":
        raise UsageError(f"{where}: a student of images, which ask does not answer by", "Name one of texts.")
    return trained


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = f"{path}: no such file, and it would say on which base and with which prompt the adapter was trained"
        raise UsageError(what, HINT) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no record of a run: {error}", HINT) from error
    if not isinstance(record, dict) or not all(isinstance(record.get(key), dict) for key in ("settings", "facts")):
        raise UsageError(f"{path}: no record of a run", HINT)
    return record


def _section[S](kind: type[S], values: Any, path: Path) -> S:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(json.dumps(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: {kind.__name__.lower()} {where}: {first['msg']}", HINT) from error
