"""The manifest beside data sets that are published: what each version holds, and which of them not to use any more.

A set once published cannot be called back; what is wrong with it must reach whoever reads it later. So a version is
never changed or taken out: it is marked, with the reason and the version to use instead, and readers are warned.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from astudent.errors import RunError, first_line
from astudent.jsonl import read_rows, sha256_of, write_atomic
from astudent.records import DatasetRow, Record
from astudent.report.markdown import visible

Verdict = Literal["pass", "fail", "unchecked"]
PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class Deprecation(Record):
    """Why a version must not be used any more, and the version that takes its place (None: there is none yet)."""

    reason: str = Field(min_length=1)
    successor: str | None = None


class DatasetVersion(Record):
    """One file of rows, which stands beside the manifest. `counts` are rows by split, grade, schema and language."""

    name: str = Field(pattern=PLAIN_NAME)
    version: str = Field(pattern=PLAIN_NAME)
    file: str = Field(pattern=PLAIN_NAME)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int
    counts: dict[str, dict[str, int]]
    gate: Verdict
    created_by: str
    deprecated: Deprecation | None = None


class Manifest(Record):
    """All versions of all data sets of a folder, the oldest first."""

    versions: list[DatasetVersion] = Field(default_factory=list)

    def find(self, name: str, version: str) -> DatasetVersion | None:
        """The entry of one version of a data set."""
        return next((each for each in self.versions if (each.name, each.version) == (name, version)), None)


def describe(path: Path, *, name: str, version: str, gate: Verdict, created_by: str) -> DatasetVersion:
    """The entry of a file of rows, counted and hashed. RunError names a row that is none, or a name that is not plain."""
    counts = {facet: Counter[str]() for facet in ("split", "grade", "schema", "language")}
    total = 0
    for row in read_rows(path, DatasetRow):
        total += 1
        facts = {"split": row.split, "grade": row.grade or "none", "schema": row.schema_id, "language": row.language}
        for facet, value in facts.items():
            counts[facet][value] += 1
    try:
        return DatasetVersion(
            name=name,
            version=version,
            file=path.name,
            sha256=sha256_of(path),
            rows=total,
            counts={facet: dict(sorted(counter.items())) for facet, counter in counts.items()},
            gate=gate,
            created_by=created_by,
        )
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise RunError(f"{path}: no plain {field} for a manifest", "Use letters, digits and . _ - only.") from error


def read_manifest(path: Path) -> Manifest:
    """The manifest; an empty one where the file is not there. RunError where it is none."""
    if not path.exists():
        return Manifest()
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(f"{path}: not a manifest: {first_line(error)}", "Mend the file.") from error


def add_version(path: Path, entry: DatasetVersion) -> None:
    """Writes the entry into the manifest. RunError where another file bears that version: versions do not change."""
    manifest = read_manifest(path)
    known = manifest.find(entry.name, entry.version)
    if known is None:
        _write(path, Manifest(versions=[*manifest.versions, entry]))
    elif known.sha256 != entry.sha256:
        message = f"{path}: {entry.name} {entry.version} is there already, with other rows"
        raise RunError(message, "Give the new rows a version of their own.")


def deprecate(path: Path, name: str, version: str, deprecation: Deprecation) -> None:
    """Marks a version in the manifest. RunError where it, or its successor, is not there."""
    manifest = read_manifest(path)
    if deprecation.successor == version:
        raise RunError(f"{name} {version} cannot be its own successor", "Name another version, or none.")
    for wanted in (version, deprecation.successor):
        if wanted is not None and manifest.find(name, wanted) is None:
            raise RunError(f"{path}: no version {wanted} of {name}", f"Versions: {_known(manifest, name)}.")
    marked = [
        each.model_copy(update={"deprecated": deprecation}) if (each.name, each.version) == (name, version) else each
        for each in manifest.versions
    ]
    _write(path, Manifest(versions=marked))


def open_version(path: Path, name: str, version: str) -> Path:
    """The file of a version, once its hash is right; a deprecated one is warned of on stderr. RunError otherwise."""
    manifest = read_manifest(path)
    entry = manifest.find(name, version)
    if entry is None:
        raise RunError(f"{path}: no version {version} of {name}", f"Versions: {_known(manifest, name)}.")
    file = path.parent / entry.file
    if not file.is_file():
        raise RunError(f"{file}: no such file, though {path} lists it", "Make it again with the command given there.")
    if sha256_of(file) != entry.sha256:
        raise RunError(f"{file}: not the rows that {path} lists", "Make the file again, or list it as a new version.")
    if entry.deprecated:
        print(f"warning: {warning_of(entry)}", file=sys.stderr)
    return file


def warning_of(entry: DatasetVersion) -> str:
    """One line about a version that is deprecated; empty for one that is not."""
    if entry.deprecated is None:
        return ""
    successor = entry.deprecated.successor
    advice = f"use {successor}" if successor else "there is no successor yet"
    return visible(" ".join(f"{entry.name} {entry.version} is deprecated: {entry.deprecated.reason}; {advice}".split()))


def _known(manifest: Manifest, name: str) -> str:
    return ", ".join(each.version for each in manifest.versions if each.name == name) or "none"


def _write(path: Path, manifest: Manifest) -> None:
    write_atomic(path, manifest.model_dump_json(indent=1) + "\n")
