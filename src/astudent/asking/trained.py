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
    path = record_path(adapter.resolve().parent)
    record = _read(path)
    section = next((name for name in SECTIONS if f"{name}.base_model" in record["settings"]), None)
    if section is None or "prompt" not in record["facts"]:
        what = "base model" if section is None else "prompt"
        raise UsageError(f"{path}: it does not say with which {what} the adapter was trained", HINT)
    settings = record["settings"]
    own = {key: settings[f"{section}.{key}"] for key in Learning.annotations() if f"{section}.{key}" in settings}
    trained = Trained(_section(Learning, own, path), _section(Prompt, record["facts"]["prompt"], path))
    return _of_text(trained, settings.get(f"{section}.modality", "text"), str(path))


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
