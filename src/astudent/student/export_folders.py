"""The two merged folders side by side: `bf16/` is `fp32/` rounded, with the same tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open


def in_halves(whole: Path, halves: Path) -> Iterator[str]:
    """What makes `bf16/` another model than `fp32/`, in words."""
    theirs, ours = (_places(folder) for folder in (halves, whole))
    if others := sorted(theirs.keys() ^ ours.keys()):
        yield f"bf16: other weights than fp32 has, such as {others[0]}"
    elif off := [name for name in ours if not _is_rounded(name, ours[name], theirs[name])]:
        yield f"bf16: {len(off)} of {len(ours)} weights are not those of fp32 rounded, such as {off[0]}"
    if _config(halves) != _config(whole):
        yield "bf16: another config.json than fp32 has"
    for name in sorted(_texts(whole) | _texts(halves)):
        if not all((folder / name).is_file() for folder in (whole, halves)):
            yield f"bf16: {name} is in one folder only"
        elif (whole / name).read_bytes() != (halves / name).read_bytes():
            yield f"bf16: another {name} than fp32 has"


def _places(folder: Path) -> dict[str, Path]:
    """Each weight with its file."""
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as weights:
            found |= dict.fromkeys(weights.keys(), file)
    return found


def _is_rounded(name: str, whole: Path, halves: Path) -> bool:
    with safe_open(whole, "pt") as ours, safe_open(halves, "pt") as theirs:
        return torch.equal(ours.get_tensor(name).to(torch.bfloat16), theirs.get_tensor(name))


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {key: value for key, value in told.items() if key != "dtype"}


def _texts(folder: Path) -> set[str]:
    """Files beside weights, their index and configuration."""
    return {p.name for p in folder.iterdir() if ".safetensors" not in p.name and p.name != "config.json"}
