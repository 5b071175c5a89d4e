"""The known ways in which an export goes wrong without a word, recognised by what the files and the server say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from astudent.export.gguf_families import Array
from astudent.export.gguf_file import Read
from astudent.export.proof import Way

Keys = Mapping[str, Any]

TOKENIZER = "tokenizer.ggml."
CLOSE = 1e-2
"""Two norms of 16 bits or more are equal within this."""


@dataclass(frozen=True)
class Truth:
    """What a right GGUF says, made of the base and the adapter alone: its keys, some tensors of the base with the adapter
    (`merged`) and the same without it (`base`), and its norms, all as a GGUF holds them."""

    keys: Keys
    merged: Mapping[str, Array]
    base: Mapping[str, Array]
    norms: Mapping[str, Array]


def in_keys(where: str, keys: Keys, truth: Keys) -> Iterator[str]:
    """Causes that the keys of a GGUF tell, read from the file or told by a server (which leaves long lists out)."""
    yield from _bos(where, keys, truth)
    tokens = keys.get(f"{TOKENIZER}tokens")
    if tokens and (others := _differing(tokens, truth[f"{TOKENIZER}tokens"])):
        yield f"{where}: a tokenizer of another vocabulary ({others} pieces differ)"
    for key in (key for key in truth if ".rope." in key and "freq_base" in key):
        if keys.get(key) is None:
            yield f"{where}: RoPE base lost ({key} is not there, training had {truth[key]:g})"
        elif abs(keys[key] - truth[key]) > 1e-3 * truth[key]:
            yield f"{where}: another RoPE base ({key} {keys[key]:g}, training had {truth[key]:g})"
    for key in (key for key in truth if key.endswith("sliding_window")):
        if keys.get(key) != truth[key]:
            yield f"{where}: another sliding window ({keys.get(key)} positions where {truth[key]} is right)"


def _bos(where: str, keys: Keys, truth: Keys) -> Iterator[str]:
    bos, adds = f"{TOKENIZER}bos_token_id", f"{TOKENIZER}add_bos_token"
    if truth[adds] and (keys.get(bos) is None or keys.get(adds) is False):
        yield f"{where}: BOS missing, so prompts do not begin as in training"
    elif truth[adds] and keys[bos] != truth[bos]:
        yield f"{where}: another BOS (token {keys[bos]} where {truth[bos]} is right)"


def _differing(theirs: list[str], ours: list[str]) -> int:
    return abs(len(theirs) - len(ours)) + sum(a != b for a, b in zip(theirs, ours, strict=False))


def in_tensors(where: str, file: Read, truth: Truth) -> Iterator[str]:
    """Causes that the tensors of a GGUF tell."""
    off = [name for name, norm in truth.norms.items() if _near(file.tensors.get(name), norm - 1)]
    if off and not _near(file.tensors.get(off[0]), truth.norms[off[0]]):
        yield f"{where}: norms stored without the added one ({len(off)} of {len(truth.norms)})"
    plain = [name for name in truth.merged if _is_plain(file.tensors.get(name), truth.merged[name], truth.base[name])]
    if plain:
        yield f"{where}: adapter not merged ({len(plain)} of {len(truth.merged)} weights are the base's)"


def _near(theirs: Array | None, ours: Array) -> bool:
    return theirs is not None and theirs.shape == ours.shape and bool(np.abs(theirs - ours).max() < CLOSE)


def _is_plain(theirs: Array | None, merged: Array, base: Array) -> bool:
    """Nearer to the base than to what the adapter makes of it."""
    if theirs is None or theirs.shape != base.shape:
        return False
    return bool(np.linalg.norm(theirs - base) < np.linalg.norm(theirs - merged))


def in_template(where: str, theirs: str, ours: str) -> Iterator[str]:
    """A template that does not render the prompt of training."""
    if theirs != ours:
        place = next(
            (at for at, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(theirs), len(ours))
        )
        lines = theirs.count("\n") - ours.count("\n")
        more = f", {lines:+d} newlines" if lines else ""
        yield f"{where}: another template than training's (from character {place} on{more})"


def in_modelfile(theirs: str, ours: str) -> Iterator[str]:
    """Lines of a Modelfile that are not the wanted ones."""
    pairs = zip_longest(theirs.splitlines(), ours.splitlines(), fillvalue="")
    off = next(((at, a, b) for at, (a, b) in enumerate(pairs, 1) if a != b), None)
    if off is not None:
        yield f"ollama/Modelfile: line {off[0]} is {off[1][:80]!r} where {off[2][:80]!r} is right"


def in_parameters(where: str, theirs: Mapping[str, Sequence[Any]], ours: Mapping[str, Any]) -> Iterator[str]:
    """Parameters that a model is served with otherwise than it should be."""
    for name, value in ours.items():
        wanted = value if isinstance(value, list) else [value]
        if list(theirs.get(name, ())) != wanted:
            yield f"{where}: PARAMETER {name} is {list(theirs.get(name, ()))} where {wanted} is right"


def in_arithmetic(ways: Sequence[Way]) -> Iterator[str]:
    """A served model that is right but for its log-probabilities, while the same file read back is right in all."""
    failed = [way for way in ways if way.failures()]
    is_served = all(way.name.startswith("Ollama") for way in failed)
    if failed and is_served and all(o.same_prompt for way in failed for o in way.outcomes):
        yield "perhaps the server's flash attention, which is inexact on long prompts: start it with OLLAMA_FLASH_ATTENTION=0"
