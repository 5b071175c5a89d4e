import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ollama_stand_in import MAKERS

from astudent.cli import Options
from astudent.config import load_config
from astudent.settings import Config

STAGES = ("domain_specs", "schemas", "queries", "dataset", "corpus")
ROOT = Path(__file__).parents[2]

SMALL: dict[str, Any] = {
    "max_domains": 4,
    "schemas_per_domain": 3,
    "examples_per_schema": 3,
    "per_schema_queries": 4,
    "positives_per_schema": 10,
    "negative_ratio": 0.5,
    "align_share": 0.1,
    "test_seen_share": 0.2,
    "test_unseen_share": 0.25,
}


def write_config(root: Path, **changes: Any) -> Path:
    """A configuration file of four domains whose outputs stand below `root`; changes are of dataset_generation."""
    path = root / "config.json"
    root.mkdir(parents=True, exist_ok=True)
    sections = {
        "extends": str(ROOT / "config" / "embedded.json"),
        "run": {"outputs_root": str(root / "out"), "pretty_dir": str(root / "out" / "pretty")},
        "dataset_generation": SMALL | changes,
    }
    path.write_text(json.dumps(sections))
    return path


def run_stages(config: Config, *names: str, fresh: bool = False) -> None:
    """Runs the data stages of these names, or all of them."""
    for name in names or STAGES:
        import_module(f"astudent.stages.{name}").run(config, Options(fresh=fresh))


def rows_of(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file as dicts."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`config(**changes)` below tmp_path, `run(config, *stages)` and `rows(path)`."""
    monkeypatch.chdir(ROOT)

    def config(**changes: Any) -> Config:
        return load_config(write_config(tmp_path, **changes))

    return SimpleNamespace(config=config, run=run_stages, rows=rows_of, write_config=write_config)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The configuration of a small run of stages 01 to 05 that is finished; its files are to be read only."""
    config = load_config(write_config(tmp_path_factory.mktemp("made")))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        run_stages(config)
    return config


@pytest.fixture
def rows() -> Callable[[str | Path], list[dict[str, Any]]]:
    """Reads a JSONL file."""
    return rows_of


@pytest.fixture
def ollama() -> SimpleNamespace:
    """The makers of a stand-in for an Ollama server: `serving(chat, models)`, `reply(text)`, `error(status, text)`."""
    return MAKERS
