"""Checkpoints on disk: whole or not there at all, found again after a kill."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astudent.errors import RunError, UsageError

FINAL = "checkpoint-final"
ABOUT = "astudent.json"
TRAINER_STATE = "trainer_state.json"
EXTRA_STATE = "astudent_state.json"
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_NUMBERED = re.compile(r"checkpoint-(\d+)$")
_UNFINISHED, _REPLACED = ".unfinished-", ".replaced-"


def check_adapter(folder: Path | str) -> None:
    """UsageError unless the folder holds an adapter in safetensors."""
    missing = [name for name in ADAPTER_FILES if not (Path(folder) / name).is_file()]
    if missing:
        hint = "Train one with stage 06, or name another with --adapter."
        raise UsageError(f"{folder}: no adapter there ({missing[0]} is missing)", hint)


def adapter_gate(folder: Path | str) -> str | None:
    """What the quality gate said of the data that the adapter there was trained on, by its own record; None without one."""
    about = Path(folder) / ABOUT
    return json.loads(about.read_text(encoding="utf-8")).get("gate") if about.is_file() else None


def unfinished(folder: Path) -> Path:
    """Where a folder is filled before it gets its name."""
    return folder.with_name(_UNFINISHED + folder.name)


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A folder to fill; it gets its name, fsynced, when the block ends well, and vanishes otherwise."""
    building = unfinished(folder)
    _recover(folder)
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        yield building
        commit_folder(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def commit_folder(building: Path, folder: Path) -> None:
    """Gives a filled folder its name; what stood there before goes, and only when the new one is in its place."""
    for file in building.rglob("*"):
        if file.is_file():
            _sync(file)
    _sync(building)
    before = _replaced(folder)
    shutil.rmtree(before, ignore_errors=True)
    try:
        if folder.exists():
            os.rename(folder, before)
        os.rename(building, folder)
    except BaseException:
        _recover(folder)
        raise
    _sync(folder.parent)
    shutil.rmtree(before, ignore_errors=True)


def _replaced(folder: Path) -> Path:
    """Where the former folder stands while the new one gets its name."""
    return folder.with_name(_REPLACED + folder.name)


def _recover(folder: Path) -> None:
    """The former folder gets its name back where a kill came before the new one had it; else its rest goes."""
    before = _replaced(folder)
    if before.exists() and unfinished(folder).exists() and not folder.exists():
        os.rename(before, folder)
    shutil.rmtree(before, ignore_errors=True)


def sweep(run: Path) -> None:
    """Removes what a kill left half-written, and half-removed."""
    for folder in run.glob(_REPLACED + "*"):
        _recover(folder.with_name(folder.name.removeprefix(_REPLACED)))
    for folder in run.glob(_UNFINISHED + "*"):
        shutil.rmtree(folder)


def step_of(folder: Path) -> int:
    """The optimizer step in a checkpoint's name. RunError for another folder."""
    found = _NUMBERED.search(folder.name)
    if found is None:
        raise RunError(f"{folder}: not the name of a checkpoint", "Name a folder such as checkpoint-200.")
    return int(found.group(1))


def numbered(run: Path) -> list[Path]:
    """All whole checkpoints of a run, oldest step first."""
    whole = [p for p in run.glob("checkpoint-*") if _NUMBERED.search(p.name) and (p / TRAINER_STATE).is_file()]
    return sorted(whole, key=step_of)


def latest(run: Path) -> Path | None:
    """The checkpoint to resume from.

    A `ref/` adapter inside would make transformers reload only sub-folders, and the policy would silently go back to
    the reference: it is removed.
    """
    found = numbered(run)
    if not found:
        return None
    shutil.rmtree(found[-1] / "ref", ignore_errors=True)
    return found[-1]


def read_extra(folder: Path) -> dict[str, Any]:
    """What this package keeps in a checkpoint beside the trainer's own state."""
    return json.loads((folder / EXTRA_STATE).read_text(encoding="utf-8"))


def rotate(run: Path, keep: int, best: Path | None) -> None:
    """Removes the oldest checkpoints beyond `keep`; the best one stays and counts."""
    others = [p for p in numbered(run) if best is None or p.name != best.name]
    room = max(1, keep - (best is not None))
    for folder in others[:-room]:
        shutil.rmtree(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
