"""The manifest of published data sets: counts, hashes, versions that never change, and warnings of deprecated ones."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from astudent.errors import RunError
from astudent.jsonl import sha256_of, write_atomic
from astudent.records import DatasetRow
from astudent.tasks.documents import rows
from astudent.tasks.documents.manifest import (
    DatasetVersion,
    Deprecation,
    add_version,
    deprecate,
    describe,
    open_version,
    read_manifest,
)


@cache
def some_rows(seed: int) -> tuple[DatasetRow, ...]:
    return tuple(rows(seed, 2, 2, 2))


def published(folder: Path, version: str, seed: int = 1) -> DatasetVersion:
    path = folder / f"documents-{version}.jsonl"
    write_atomic(path, some_rows(seed))
    return describe(path, name="documents", version=version, gate="pass", created_by=f"make --seed {seed}")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    for version, seed in (("1.0.0", 1), ("1.1.0", 2)):
        add_version(path, published(tmp_path, version, seed))
    return path


def test_an_entry_counts_and_hashes_its_file(tmp_path: Path) -> None:
    entry = published(tmp_path, "1.0.0")
    assert entry.rows == 24 * 6
    assert entry.counts["split"] == {"align": 48, "test_seen": 48, "train": 48}
    assert entry.counts["grade"] == {"complex": 48, "medium": 48, "simple": 48}
    assert entry.counts["language"] == {"en": 72, "fr": 72}
    assert entry.counts["schema"]["invoice-v1"] == 6 and len(entry.counts["schema"]) == 24
    assert entry.sha256 == sha256_of(tmp_path / entry.file)


def test_what_is_written_is_read(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [entry.version for entry in read_manifest(manifest).versions] == ["1.0.0", "1.1.0"]
    assert open_version(manifest, "documents", "1.1.0") == tmp_path / "documents-1.1.0.jsonl"
    assert capsys.readouterr().err == ""


def test_a_reader_of_a_deprecated_version_is_warned(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deprecate(manifest, "documents", "1.0.0", Deprecation(reason="totals\x1b[2J are off", successor="1.1.0"))
    open_version(manifest, "documents", "1.0.0")
    said = capsys.readouterr().err
    assert "documents 1.0.0 is deprecated: totals" in said and said.endswith("use 1.1.0\n")
    assert "\x1b" not in said
    open_version(manifest, "documents", "1.1.0")
    assert capsys.readouterr().err == ""


def test_a_version_never_changes(manifest: Path, tmp_path: Path) -> None:
    before = manifest.read_bytes()
    add_version(manifest, published(tmp_path, "1.0.0", 1))
    assert manifest.read_bytes() == before
    with pytest.raises(RunError, match="with other rows"):
        add_version(manifest, published(tmp_path, "1.0.0", 9))


def test_a_file_that_was_changed_is_refused(manifest: Path, tmp_path: Path) -> None:
    file = tmp_path / "documents-1.0.0.jsonl"
    file.write_text(file.read_text().replace("2025", "2026", 1))
    with pytest.raises(RunError, match="not the rows"):
        open_version(manifest, "documents", "1.0.0")
    file.unlink()
    with pytest.raises(RunError, match="no such file"):
        open_version(manifest, "documents", "1.0.0")


@pytest.mark.parametrize(("version", "successor"), [("3.0.0", None), ("1.0.0", "3.0.0"), ("1.0.0", "1.0.0")])
def test_only_known_versions_are_deprecated_for_known_ones(manifest: Path, version: str, successor: str | None) -> None:
    with pytest.raises(RunError, match=r"3\.0\.0|its own successor"):
        deprecate(manifest, "documents", version, Deprecation(reason="wrong", successor=successor))


def test_an_unknown_version_is_an_error_that_names_the_known_ones(manifest: Path) -> None:
    with pytest.raises(RunError) as error:
        open_version(manifest, "documents", "9")
    assert "1.0.0, 1.1.0" in error.value.hint


@pytest.mark.parametrize("text", ["", "[]", '{"versions": [{"name": "x"}]}', "\xff"])
def test_what_is_no_manifest_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(RunError, match="not a manifest"):
        read_manifest(tmp_path / "manifest.json")


@pytest.mark.parametrize("field", ["file", "name", "version"])
def test_no_path_comes_from_the_content(manifest: Path, field: str) -> None:
    entry: dict[str, Any] = read_manifest(manifest).versions[0].model_dump() | {field: "../../etc/passwd"}
    write_atomic(manifest, [{"versions": [entry]}])
    with pytest.raises(RunError, match="not a manifest"):
        read_manifest(manifest)


def test_a_row_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"query_id": 1}\n')
    with pytest.raises(RunError, match=r"rows\.jsonl:1"):
        describe(path, name="documents", version="1", gate="unchecked", created_by="hand")
