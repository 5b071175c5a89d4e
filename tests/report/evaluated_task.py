"""An evaluation of the documents task on disk: a base model beside an adapter, with the records that a card reads."""

import json
from pathlib import Path
from typing import Any

from answered import answered

from astudent.evaluation.summary import summarise
from astudent.jsonl import write_atomic
from astudent.tasks.documents import SCHEMAS
from astudent.tasks.documents.task import TASK

KNOWN = {"dish": "Soup", "servings": 4, "level": "easy", "prep_minutes": 10, "cook_minutes": 20, "total_minutes": 30}
HASH = "0123456789abcdef" * 4


def write_evaluation(folder: Path, right: int, adapter: str = "none", **about: Any) -> Path:
    """Four answers, the first `right` of them right, evaluated in `folder`."""
    answers = [KNOWN if number < right else None for number in range(4)]
    rows = [
        answered(KNOWN, answer, SCHEMAS["recipe"].schema, query_id=f"q{n}", grade="simple")
        for n, answer in enumerate(answers)
    ]
    told = {
        "adapter": adapter,
        "decoding": "free",
        "base_model": "org/base",
        "adapter_sha256": None if adapter == "none" else HASH,
        "adapter_gate": None if adapter == "none" else "pass",
        "dataset": "data/d_04_dataset.jsonl",
        "dataset_sha256": HASH,
        "config": "config/documents.json",
    }
    summary = {**summarise(rows, "test_seen", TASK), "run": told | about}
    write_atomic(folder / "evaluation_results.jsonl", rows)
    write_atomic(folder / "evaluation_summary.json", json.dumps(summary))
    return folder


def write_training(folder: Path) -> str:
    """The record of a training run and its corpus's metadata; gives back the adapter's folder."""
    settings = {"training.lora_r": 16, "training.training_corpus": str(folder / "d_05.jsonl")}
    write_atomic(folder / "sft/run_config.json", json.dumps({"settings": settings, "facts": {}}))
    write_atomic(folder / "training_corpus_metadata.json", json.dumps({"verdict": "pass", "corpus_rows": 1234}))
    return str(folder / "sft/checkpoint-final")
