"""Cards: filled from files, and open about what no file tells."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from evaluated_task import HASH, write_evaluation, write_training

from astudent.errors import UsageError
from astudent.jsonl import sha256_of, write_atomic
from astudent.report.cards import card
from astudent.tasks.documents import rows
from astudent.tasks.documents.manifest import Deprecation, add_version, deprecate, describe


def front_of(text: str) -> dict[str, Any]:
    return yaml.safe_load(text.split("---\n")[1])


def unknown_in(text: str) -> list[str]:
    return text.partition("What no file tells")[2].strip().splitlines()


def test_a_model_card_shows_what_was_measured(tmp_path: Path) -> None:
    tuned = write_evaluation(tmp_path / "eval", 3, write_training(tmp_path))
    text = card([tuned, write_evaluation(tmp_path / "base", 0)], tmp_path)
    assert "| JSONExact | 75.0% (30-95) | 0.0% (0-49) |" in text and "| grade: simple | 75.0%" in text
    assert HASH in text and "| training.lora\\_r | 16 |" in text and "1,234" in text
    front = front_of(text)
    assert (front["base_model"], front["library_name"], front["language"]) == ("org/base", "peft", ["en", "fr"])
    (result,) = front["model-index"][0]["results"]
    assert {"type": "json_exact", "value": 0.75} in result["metrics"]
    assert unknown_in(text) == ["- licence"]


def test_a_model_card_says_what_is_missing(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path / "eval", 0, "gone/checkpoint-final", config=None)
    summary = json.loads((folder / "evaluation_summary.json").read_text())
    summary["splits"]["test_seen"]["task"]["all"]["field_f1"] = {"value": None, "interval": None}
    write_atomic(folder / "evaluation_summary.json", json.dumps(summary))
    text = card([folder], tmp_path)
    said = "\n".join(unknown_in(text))
    for missing in ("licence", "figure field", "how the adapter was trained", "quality gate", "configuration"):
        assert missing in said
    assert "field_f1" not in str(front_of(text))


def test_a_served_students_card_names_its_digest(tmp_path: Path) -> None:
    served = write_evaluation(tmp_path / "eval", 3, "ollama:mine", adapter_sha256=None, served_digest="5e12ed")
    text = card([served], tmp_path)
    assert "| served model's digest | 5e12ed |" in text and "adapter's SHA-256" not in text


def test_a_base_model_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the base model alone"):
        card([write_evaluation(tmp_path, 1)], tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """24 rows with the record and the metadata of stages 04 and 05."""
    path = tmp_path / "d_04_dataset.jsonl"
    write_atomic(path, rows(3, 1, 0, 0))
    made = {"task.name": "documents", "task.version": "1.0.0", "dataset_generation.seed": 3}
    write_atomic(tmp_path / "d_04_dataset.jsonl.run.json", json.dumps({"settings": made}))
    metadata = {"verdict": "pass", "dataset_sha256": sha256_of(path)}
    write_atomic(tmp_path / "training_corpus_metadata.json", json.dumps(metadata))
    return tmp_path


def test_a_data_sets_card_counts_its_rows(data: Path) -> None:
    text = card([data], data)
    assert "| rows | 24 |" in text and "| quality gate | pass |" in text and "| dataset\\_generation.seed | 3 |" in text
    assert "| simple | 8 |" in text and "| invoice-v1 | 1 |" in text
    front = front_of(text)
    assert (front["pretty_name"], front["size_categories"], front["language"]) == (
        "astudent documents",
        ["n<1K"],
        ["en"],
    )
    assert unknown_in(text) == ["- licence"]


def test_a_verdict_on_other_rows_is_none(data: Path) -> None:
    write_atomic(data / "d_04_dataset.jsonl", rows(4, 1, 0, 0))
    (data / "d_04_dataset.jsonl.run.json").unlink()
    text = card([data], data)
    assert "| quality gate | unchecked |" in text
    said = "\n".join(unknown_in(text))
    assert "how the rows were made" in said and "a version" in said and "these very rows" in said


def test_a_deprecated_data_set_warns(data: Path) -> None:
    manifest = data / "manifest.json"
    entry = describe(data / "d_04_dataset.jsonl", name="documents", version="1.0.0", gate="pass", created_by="stage 04")
    add_version(manifest, entry)
    deprecate(manifest, "documents", "1.0.0", Deprecation(reason="totals are wrong"))
    assert "documents 1.0.0 is deprecated: totals are wrong" in card([data], data)


def test_what_is_neither_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"neither d_04_dataset\.jsonl nor the summary"):
        card([tmp_path], tmp_path)
