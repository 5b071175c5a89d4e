"""What the trainers ask of the gate before they read a row."""

import json
from pathlib import Path
from typing import Any

import pytest

from astudent.errors import RunError
from astudent.jsonl import sha256_of
from astudent.quality.clearance import METADATA_NAME, corpus_clearance, pairs_clearance

VIOLATION = {"file": "d_04.jsonl", "line": 1, "kind": "duplicate", "path": "", "found": "a", "expected": "b"}


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "corpus.jsonl", "{}\n")


def failed(folder: Path) -> None:
    violations = [VIOLATION | {"id": f"row-{number}"} for number in range(9)]
    gate = {"violations": violations, "violation_counts": {"duplicate": 70, "leak": 7}}
    write(folder / METADATA_NAME, {"verdict": "fail", "gate": gate})


def test_a_corpus_that_failed_is_refused_with_five_violations_and_the_count(corpus: Path, capsys: Any):
    failed(corpus.parent)
    with pytest.raises(RunError, match="found 77 violations") as caught:
        corpus_clearance(corpus).require(True)
    assert "--allow-unchecked" in caught.value.hint
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in said] == [f"row-{number}" for number in range(5)]


def test_allow_unchecked_goes_on_and_says_so(corpus: Path, capsys: Any):
    failed(corpus.parent)
    assert corpus_clearance(corpus).require(False) == "fail"
    assert "going on" in capsys.readouterr().err


def test_a_corpus_that_nobody_checked_or_that_changed_since_is_refused(corpus: Path):
    assert corpus_clearance(corpus).verdict == "unknown"
    write(corpus.parent / METADATA_NAME, {"verdict": "pass", "corpus_sha256": sha256_of(corpus)})
    assert corpus_clearance(corpus).require(True) == "pass"
    write(corpus, "{}\n{}\n")
    with pytest.raises(RunError, match="changed since"):
        corpus_clearance(corpus).require(True)


def test_pairs_are_cleared_by_the_data_set_that_they_come_from(corpus: Path, tmp_path: Path):
    results = write(tmp_path / "evaluation_results.jsonl", "{}\n")
    pairs = write(tmp_path / "pairs.jsonl", "{}\n")
    write(tmp_path / METADATA_NAME, {"verdict": "pass", "dataset_sha256": "abc"})
    assert pairs_clearance(pairs, corpus).verdict == "unknown"
    write(tmp_path / "pairs.jsonl.run.json", {"inputs": {str(results): sha256_of(results)}})
    write(tmp_path / "evaluation_results.jsonl.run.json", {"inputs": {"d_04.jsonl": "abc"}})
    assert pairs_clearance(pairs, corpus).verdict == "pass"
    write(tmp_path / "evaluation_results.jsonl.run.json", {"inputs": {"d_04.jsonl": "another"}})
    assert pairs_clearance(pairs, corpus).verdict == "unknown"
    failed(tmp_path)
    assert pairs_clearance(pairs, corpus).verdict == "fail"


def test_metadata_that_cannot_be_read_are_an_error_of_one_line(corpus: Path):
    write(corpus.parent / METADATA_NAME, "{")
    with pytest.raises(RunError, match="not JSON"):
        corpus_clearance(corpus)
