"""What may be replaced by an export, and what is never."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astudent.errors import UsageError
from astudent.export.modelfile import Turn
from astudent.export.package import RECORD, Package, Record
from astudent.export.verify import folder_of
from astudent.jsonl import sha256_of

TURN = Turn("<user>", "<model>", "<end>", "<end>")


def a_record(**changed: Any) -> Record:
    told = Record("base", "b", "a", "c", None, None, "f16", 512, TURN, {"num_ctx": 512}, {}, 1, [], {})
    return replace(told, **changed)


def package_in(folder: Path) -> Package:
    """An export of one file."""
    (folder / "gguf").mkdir(parents=True)
    (folder / "gguf" / "model-f16.gguf").write_text("weights")
    files = {"gguf/model-f16.gguf": sha256_of(folder / "gguf" / "model-f16.gguf")}
    (folder / RECORD).write_text(json.dumps(a_record(files=files).as_json()))
    return Package(folder)


def test_an_export_with_proof_and_card_may_be_replaced(tmp_path: Path):
    package = package_in(tmp_path / "out")
    for name in ("verify.json", "README.md"):
        (package.folder / name).write_text("{}")
    package.refuse_foreign()
    assert package.changed(package.read_record() or a_record()) == []


@pytest.mark.parametrize("place", ["thesis.txt", "gguf/own.gguf", ".git/HEAD"])
def test_a_file_that_the_record_does_not_name_is_never_replaced(tmp_path: Path, place: str):
    package = package_in(tmp_path / "out")
    (package.folder / place).parent.mkdir(exist_ok=True)
    (package.folder / place).write_text("years of work")
    with pytest.raises(UsageError, match=f"more than an export, such as {place}"):
        package.refuse_foreign()


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"files": 3}', "null"])
def test_a_stranger_s_export_json_makes_no_export(tmp_path: Path, text: str):
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(UsageError, match="no record of an export") as caught:
        Package(tmp_path).refuse_foreign()
    assert "--fresh" not in caught.value.hint


def test_a_folder_that_holds_the_working_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for out in (Path("."), tmp_path):
        with pytest.raises(UsageError, match="holds the working directory"):
            Package(folder_of(out, Path("adapter"))).refuse_foreign()


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "file").write_text("a")
    with pytest.raises(UsageError, match="no folder"):
        Package(tmp_path / "file").refuse_foreign()


def test_the_default_folder_stands_beside_the_adapter_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "run" / "checkpoint-final").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "run" / "checkpoint-final")
    monkeypatch.chdir(tmp_path / "link")
    wanted = tmp_path / "run" / "checkpoint-final-export"
    assert folder_of(None, Path(".")) == folder_of(None, tmp_path / "link") == wanted


def test_changed_and_absent_files_are_named(tmp_path: Path):
    package = package_in(tmp_path / "out")
    record = replace(a_record(), files={"gguf/model-f16.gguf": "0" * 64, "bf16/config.json": "0" * 64})
    assert package.changed(record) == ["gguf/model-f16.gguf is not as it was written", "bf16/config.json is not there"]


@pytest.mark.parametrize(
    "changed", [{"turn": replace(TURN, after="x")}, {"parameters": {"num_ctx": 9}}, {"writer": 0}, {"num_ctx": 9}]
)
def test_an_export_made_otherwise_is_another(changed: dict[str, Any]):
    assert a_record().is_of(a_record(notes=["a note"], files={"a": "b"}))
    assert not a_record().is_of(a_record(**changed))
