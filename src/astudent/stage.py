"""A run is never lost: what a stage finds when it starts, and the record that it leaves beside its output.

The record `<output>.run.json` (for a folder: `run_config.json` inside) holds the settings that shaped the output, the
hashes of its inputs and whether it is finished. A stage whose record says the same again has nothing to do.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from astudent.config import Config
from astudent.errors import RunError, UsageError
from astudent.jsonl import sha256_of, write_atomic
from astudent.launch import is_first

FILE_SUFFIXES = (".jsonl", ".json")  # any other output is a folder, `qwen2.5-vl-3b` too

Status = Literal["complete", "resume", "extend", "new"]

_HELD: dict[Path, int] = {}
"""Open lock files of this process, by the record of the run."""


@dataclass(frozen=True)
class Input:
    """An input file of which some rows do not count: those that hold all of `without`'s values.

    Stage 04 appends its top-up rows to the very file that it reads; without them the file is what stage 03 wrote.
    """

    path: Path
    without: Mapping[str, Any] = field(default_factory=dict)

    def digest(self) -> str:
        """SHA-256 in hex. RunError when the file is not there."""
        if not self.path.exists():
            raise RunError(f"{self.path}: no such file", "Run the stage that writes it first.")
        return _hash_rows(self.path, self.without) if self.without else sha256_of(self.path)


@dataclass
class StageRun:
    """One stage's run. `status` says what the stage has to do; `changed` names what is not as it was."""

    name: str
    outputs: tuple[Path, ...]
    settings: dict[str, Any]
    inputs: dict[str, str]
    status: Status = "new"
    changed: tuple[str, ...] = ()

    @classmethod
    def begin(
        cls,
        name: str,
        outputs: Iterable[Path | str],
        settings: Mapping[str, Any],
        inputs: Iterable[Path | str | Input],
        *,
        root: Path | str,
        fresh: bool = False,
        growing: Iterable[str] = (),
    ) -> "StageRun":
        """Finds out where the stage stands, sets replaced outputs aside and writes the record, unfinished.

        - complete: nothing to do. The stage returns at once.
        - resume: the same run was interrupted; whole rows that are there are to be kept.
        - extend: only `growing` settings (counts; "section.key") are larger than before; rows are to be added.
        - new: no output is there, or it was made otherwise: then the changed fields are printed and the old output
          moves to `root`/.previous/<time>/. `fresh` does so in any case.

        `outputs` are files (.jsonl, .json) or folders; the record stands beside, or in, the first of them.
        `settings` may be nested (section -> key -> value) or flat ("section.key" -> value).
        UsageError for an output folder that holds something else; RunError for an input that is not there, or when
        another process is at work on the same output.

        Of the processes of one launch the first alone acts. The others only look: whether there is something to do
        is the same before and after its acts.
        """
        hashes = {str(item.path): item.digest() for item in map(_as_input, inputs)}
        run = cls(name, tuple(map(Path, outputs)), flat(settings), hashes)
        if not is_first():
            run._look(fresh, set(growing))
            return run
        for path in run.outputs:
            _refuse_foreign_folder(path, run.record_path)
        run._look(fresh, set(growing))
        if run.status != "complete":
            _hold(run.record_path, Path(root))
            run._look(fresh, set(growing))  # who held the lock before may have finished
        if run.status == "new":
            run._set_aside(Path(root), fresh)
        else:
            run._say({"complete": "complete, nothing to do", "resume": "going on where it stopped"}.get(run.status))
        if run.status != "complete":
            run._write_record(finished=False)
        return run

    @property
    def record_path(self) -> Path:
        """Where the record stands."""
        return record_path(self.outputs[0])

    def finish(self, **facts: Any) -> None:
        """Marks the run as finished; `facts` (counts and the like) are kept in the record."""
        if is_first():
            self._write_record(finished=True, facts=facts)
            _release(self.record_path)

    def _say(self, text: str | None) -> None:
        print(f"{self.name[:2]}: {text or 'extended: ' + '; '.join(self.changed)}", flush=True)

    def _look(self, fresh: bool, growing: set[str]) -> None:
        before = None if fresh else read_record(self.record_path)
        self.changed = tuple(_changes(before, self)) if before else ()
        self.status = self._status(before, growing)

    def _status(self, before: Mapping[str, Any] | None, growing: set[str]) -> Status:
        if before is None:
            return "new"
        if not self.changed:
            there = all(path.exists() for path in self.outputs)
            return "complete" if before["finished"] and there else "resume"
        same_inputs = before["inputs"] == self.inputs
        return "extend" if same_inputs and _only_grew(before["settings"], self.settings, growing) else "new"

    def _write_record(self, *, finished: bool, facts: Mapping[str, Any] | None = None) -> None:
        record = {
            "stage": self.name,
            "finished": finished,
            "settings": self.settings,
            "inputs": self.inputs,
            "facts": dict(facts or {}),
        }
        write_atomic(self.record_path, json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n")

    def _set_aside(self, root: Path, fresh: bool) -> None:
        """Moves what is there out of the way; the record goes last, so that a kill in between loses nothing."""
        present = [path for path in (*self.outputs, self.record_path) if path.exists()]
        if not present or all(_is_empty_folder(path) for path in present):
            return
        place = _previous_folder(root)
        for path in present:
            if path.exists():  # a record inside a folder has moved with it
                target = place / _below(path, root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, target)
        reasons = list(self.changed) or (["--fresh"] if fresh else ["no record of how it was made"])
        self._say(f"changed: {'; '.join(reasons)}")
        self._say(f"the old output is in {place}")


def _hold(record: Path, root: Path) -> None:
    """Takes a lock until the run is finished; a killed process leaves none."""
    record = record.resolve()
    if record in _HELD:
        return
    lock = root / ".locks" / hashlib.sha256(str(record).encode()).hexdigest()[:16]
    lock.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(handle, 32).decode().strip()
        os.close(handle)
        raise RunError(
            f"{record}: another process ({owner}) is at work on this output", "Wait for its end, or stop it."
        ) from None
    except OSError:  # a network file system without locks
        os.close(handle)
        return
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    _HELD[record] = handle


def _release(record: Path) -> None:
    if (handle := _HELD.pop(record.resolve(), None)) is not None:
        os.close(handle)


def record_path(output: Path | str) -> Path:
    """`run_config.json` in an output folder, `<name>.run.json` beside an output file."""
    output = Path(output)
    if output.suffix in FILE_SUFFIXES and not output.is_dir():
        return output.with_name(output.name + ".run.json")
    return output / "run_config.json"


def read_record(path: Path) -> dict[str, Any] | None:
    """The record of a run; None where there is none. RunError for a file that is no record."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        hint = "Delete it, or run with --fresh."
        raise RunError(f"{path}: no record of a run: {error}", hint) from error
    if not isinstance(record, dict) or not {"settings", "inputs", "finished"} <= record.keys():
        raise RunError(f"{path}: no record of a run", "Delete it, or run with --fresh.")
    return record


def base_folder(base_model: str) -> list[Path]:
    """The base model as an input where it is a folder here; one from a hub is named by its id and revision."""
    return [Path(base_model)] if Path(base_model).is_dir() else []


def settings_of(config: Config, *names: str) -> dict[str, Any]:
    """The settings that shape a stage's output: whole sections ("prompt") or single keys ("training.seed"), flat."""
    picked: dict[str, Any] = {}
    for name in names:
        section, _, key = name.partition(".")
        value = getattr(config, section)
        picked |= {name: getattr(value, key)} if key else flat({section: value.model_dump()})
    return flat(picked)


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as "section.key" -> value, with values as JSON gives them back (lists, not tuples)."""
    out: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and not prefix and "." not in key:
            out |= flat(value, f"{key}.")
        else:
            out[prefix + key] = json.loads(json.dumps(value, default=str))
    return out


def _as_input(item: Path | str | Input) -> Input:
    return item if isinstance(item, Input) else Input(Path(item))


def _hash_rows(path: Path, without: Mapping[str, Any]) -> str:
    """Hash of the rows that count, in order; a line that is no whole row (a kill while appending) does not count."""
    digest = hashlib.sha256()
    with path.open("rb") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                row = None if line.endswith(b"\n") else dict(without)
            if not (isinstance(row, dict) and all(row.get(key) == value for key, value in without.items())):
                digest.update(line.rstrip(b"\n") + b"\n")
    return digest.hexdigest()


def _changes(before: Mapping[str, Any], run: StageRun) -> Iterable[str]:
    """`training.learning_rate 5e-5 -> 1e-4` for each setting, and the name of each input that is not as it was."""
    old, new = before["settings"], run.settings
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key) or (key in old) != (key in new):
            yield f"{key} {_shown(old, key)} -> {_shown(new, key)}"
    for path in sorted(before["inputs"].keys() | run.inputs.keys()):
        if before["inputs"].get(path) != run.inputs.get(path):
            yield f"input {path}"


def _shown(settings: Mapping[str, Any], key: str) -> str:
    return json.dumps(settings[key], ensure_ascii=False) if key in settings else "(absent)"


def _only_grew(old: Mapping[str, Any], new: Mapping[str, Any], growing: set[str]) -> bool:
    """Whether all that differs are counts that grew (null is without limit)."""
    if old.keys() != new.keys():
        return False
    differing = {key for key in new if old[key] != new[key]}
    return differing <= growing and all(
        old[key] is not None and (new[key] is None or new[key] > old[key]) for key in differing
    )


def _refuse_foreign_folder(path: Path, record: Path) -> None:
    """An output folder that holds files of another kind is never moved away."""
    is_ours = (path / "run_config.json").exists() or record.exists()
    if not path.is_dir() or _is_empty_folder(path):
        return
    if Path.cwd().resolve().is_relative_to(path.resolve()):
        raise UsageError(f"{path}: the output folder holds the folder you are in", "Name another output folder.")
    if not is_ours:
        raise UsageError(f"{path}: not empty, and no run_config.json in it", "Name another output folder.")


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _previous_folder(root: Path) -> Path:
    """A folder of its own below `root`/.previous, named by the time (UTC)."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for number in range(1, 1000):
        place = root / ".previous" / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            os.makedirs(place)
        except FileExistsError:
            continue
        return place
    raise RunError(f"{root}/.previous: a thousand folders of one second", "Look for what starts runs in a loop.")


def _below(path: Path, root: Path) -> Path:
    """The path's place below the root; an output elsewhere keeps its own folder's name."""
    resolved, base = path.resolve(), root.resolve()
    return resolved.relative_to(base) if resolved.is_relative_to(base) else Path(path.parent.name) / path.name
