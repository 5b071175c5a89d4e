"""Loads a configuration: JSON files that extend each other, then flags, validated as a whole, all problems at once."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from astudent.errors import Problems, UsageError
from astudent.settings import SECTIONS, Config, TaskSplit

DEFAULTS = Path("config/defaults.json")

HINT = "Every key stands in config/defaults.json, its meaning in the --help of its stage."

Origins = dict[tuple[str, ...], str]  # (section, key) -> the file or flag that set it


def load_config(path: Path | str = DEFAULTS, overrides: Mapping[str, Any] | None = None) -> Config:
    """The configuration of `path` with `overrides` ("section.key" -> value) on top.

    Paths inside are relative to the repository's root, where the runners start. UsageError lists every problem with
    the file or flag that holds it.
    """
    values, origins = _read(Path(path), ())
    for name, value in (overrides or {}).items():
        section, _, key = name.partition(".")
        values.setdefault(section, {})[key] = value
        origins[section, key] = "the flags"
    return _validated(values, origins, str(path))


def _read(path: Path, chain: tuple[Path, ...]) -> tuple[dict[str, Any], Origins]:
    """The file's sections over those of the file that it extends (a path relative to itself)."""
    path = Path(path)
    if path.resolve() in (link.resolve() for link in chain):
        loop = " -> ".join(str(link) for link in (*chain, path))
        raise UsageError(f"configurations extend each other in a circle: {loop}", 'Take one "extends" out.')
    own = _read_object(path, f" (extended by {chain[-1]})" if chain else "")
    base = own.pop("extends", None)
    if base is not None and not isinstance(base, str):
        raise UsageError(f'{path}: "extends" is no path: {base!r}', "Name one JSON file.")
    values, origins = _read(path.parent / base, (*chain, path)) if base else ({}, {})
    values = _rebased(values, own)
    for section, keys in own.items():
        if not isinstance(keys, dict):
            raise UsageError(f"{path}: section {section} is no object", 'Write "section": {"key": value}.')
        values[section] = {**values.get(section, {}), **keys}
        origins |= {(section, key): str(path) for key in keys} | {(section,): str(path)}
    return values, origins


def _rebased(values: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Where a file names another `run.outputs_root`, the outputs that it inherits move below that one."""
    run = own.get("run")
    new = run.get("outputs_root") if isinstance(run, dict) else None
    old = values.get("run", {}).get("outputs_root")
    if not isinstance(new, str) or not isinstance(old, str):
        return values

    def moved(value: Any) -> Any:
        inside = isinstance(value, str) and value.startswith(f"{old}/")
        return new + value.removeprefix(old) if inside else value

    return {section: {key: moved(value) for key, value in keys.items()} for section, keys in values.items()}


def _read_object(path: Path, whence: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_duplicates)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read{whence}: {error.strerror}", "Name a file with --config.") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}", "Mend that line.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not a configuration: {error}", "Mend the file.") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path}: not a JSON object", 'Write {"section": {"key": value}}.')
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands twice")
    return dict(pairs)


def _validated(values: dict[str, Any], origins: Origins, path: str) -> Config:
    from pydantic import TypeAdapter, ValidationError

    try:
        config = TypeAdapter(Config).validate_json(json.dumps(values))
    except ValidationError as error:
        problems = _problems(error.errors(include_url=False), origins, path)
    else:
        problems = _conflicts(config)
    if len(problems) == 1:
        raise UsageError(problems[0], HINT)
    if problems:
        raise Problems(f"{path}: {len(problems)} problems", HINT, problems)
    return config


def _problems(errors: list[Any], origins: Origins, path: str) -> list[str]:
    """One line for each key; the branches of a union that all failed stand in one line."""
    lines: dict[str, list[str]] = {}
    for error in errors:
        where = tuple(map(str, error["loc"]))
        line, reason = _problem(where, error, origins, path)
        if error["type"] != "too_short" or line not in lines:  # else it only follows from another one
            lines.setdefault(line, []).append(reason)
    return [line + ", or ".join(dict.fromkeys(reasons)) for line, reasons in lines.items()]


def _problem(where: tuple[str, ...], error: Any, origins: Origins, path: str) -> tuple[str, str]:
    """Where the problem is, and what it is."""
    place, origin = ".".join(where[:2]), origins.get(where[:2], origins.get(where[:1], path))
    if error["type"] == "unexpected_keyword_argument":
        return f"{origin}: unknown key {place}", _suggestion(where)
    if error["type"] in ("missing", "missing_argument"):
        return f"{path}: {place} is missing", ""
    shown = json.dumps(error["input"], ensure_ascii=False, default=str)
    return f"{origin}: {place}", f" = {shown[:80]}: {error['msg']}"


def _suggestion(where: tuple[str, ...]) -> str:
    known = list(SECTIONS) if len(where) == 1 else list(SECTIONS[where[0]].annotations())
    near = difflib.get_close_matches(where[-1], known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    homes = [name for name, section in SECTIONS.items() if where[-1] in section.annotations()]
    return f"; it belongs to {homes[0]}" if homes else ""


def _conflicts(config: Config) -> list[str]:
    """Values that are right one by one and wrong together."""
    data = config.dataset_generation
    problems = []
    if data.min_operators > data.max_operators:
        problems.append(
            f"dataset_generation.min_operators ({data.min_operators}) is above max_operators ({data.max_operators})"
        )
    if data.align_share + data.test_seen_share >= 1:
        problems.append("dataset_generation.align_share and test_seen_share leave no row to train on")
    lacking = [split for split in get_args(TaskSplit) if split not in data.task_rows]
    if data.task != "language" and lacking:
        problems.append(f"dataset_generation.task_rows lacks {', '.join(lacking)}, and the task is {data.task}")
    return problems
