"""Configurations of a benchmark task with few rows, below a folder."""

import json
from pathlib import Path
from typing import Any

from astudent.config import load_config
from astudent.jsonl import write_atomic
from astudent.settings import Config

ROOT = Path(__file__).parents[2]
SIZES = {"train": 24, "align": 4, "test_seen": 8}


def config_of(task: str, folder: Path, shipped: str = "", **sections: Any) -> Config:
    """The task's shipped configuration (or another `shipped` one) with few rows and its outputs below `folder`."""
    few = {name: max(1, count // 8) if task == "documents" else count for name, count in SIZES.items()}
    given = {
        "extends": str(ROOT / "config" / (shipped or f"{task}.json")),
        **sections,
        "run": {"outputs_root": str(folder / "out"), "min_free_gb": 0},
        "dataset_generation": {"task_rows": few, **sections.get("dataset_generation", {})},
    }
    path = folder / "config.json"
    write_atomic(path, json.dumps(given))
    return load_config(path)
