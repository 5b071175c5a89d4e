"""The second files of a mapping: schemas, databases or answers that records refer to by an id. They are held in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astudent.errors import RunError, UsageError
from astudent.importing.mapping import Lookup
from astudent.importing.scope import RejectedError, Scope, need, shown
from astudent.importing.sources import read_records, whole_value
from astudent.language.pointers import MISSING, at_pointer

MAX_BYTES = 512 << 20  # of a file as it lies on the disk
Json = Any


class Lookups:
    """All second files, read once."""

    def __init__(self, lookups: Mapping[str, Lookup], files: Mapping[str, Path]) -> None:
        _check_names(lookups, files)
        self._lookups = lookups
        self._held = {name: _read(files[name], lookup) for name, lookup in lookups.items()}

    def found(self, scope: Scope) -> dict[str, Json]:
        """Name -> what the scope refers to. RejectedError where it refers to nothing."""
        return {name: self._one(name, lookup, scope) for name, lookup in self._lookups.items()}

    def _one(self, name: str, lookup: Lookup, scope: Scope) -> Json:
        if lookup.at is None:
            return self._held[name]
        key = need(scope, lookup.at)
        if not isinstance(key, str | int) or str(key) not in self._held[name]:
            raise RejectedError(f"{shown(key)} is not in the file of {name}")
        return self._held[name][str(key)]


def _check_names(lookups: Mapping[str, Lookup], files: Mapping[str, Path]) -> None:
    if missing := sorted(lookups.keys() - files.keys()):
        raise UsageError(f"the mapping needs the file of {missing[0]}", f"Give --with {missing[0]}=FILE.")
    if unknown := sorted(files.keys() - lookups.keys()):
        raise UsageError(f"--with {unknown[0]}: the mapping has no lookup of that name", "Take it out.")


def _read(path: Path, lookup: Lookup) -> Json:
    if lookup.key is None:
        return whole_value(path, MAX_BYTES)
    if path.exists() and path.stat().st_size > MAX_BYTES:
        raise RunError(f"{path}: longer than {MAX_BYTES:,} bytes", "Take out what is not needed.")
    held: dict[str, Json] = {}
    for record in read_records(path):
        key = MISSING if record.content is None else at_pointer(record.content, lookup.key)
        if not isinstance(key, str | int):
            raise RunError(f"{path}:{record.line}: {record.reason or f'no id at {lookup.key}'}", "Mend the file.")
        if str(key) in held:
            raise RunError(f"{path}:{record.line}: the id {shown(key)} is there twice", "Mend the file.")
        held[str(key)] = record.content
    return held
