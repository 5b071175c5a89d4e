"""Stages 01 to 05 and 07 with a real server and a random model: whatever comes of it was forced by `format`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from real_server import MODEL, ROOT, RealServer

from astudent.cli import Options
from astudent.config import load_config
from astudent.jsonl import read_rows
from astudent.language.validation import validator_for
from astudent.records import CorpusRow, DatasetRow
from astudent.settings import Config

STAGES = ("domain_specs", "schemas", "queries", "dataset", "corpus", "evaluate")
DATA: dict[str, Any] = {
    "max_domains": 2,
    "schemas_per_domain": 1,
    "examples_per_schema": 2,
    "per_schema_queries": 4,
    "positives_per_schema": 5,
    "negative_ratio": 0.5,
    "align_share": 0.1,
    "test_seen_share": 0.2,
    "test_unseen_share": 0.3,
}
EVALUATION: dict[str, Any] = {
    "teacher": "ollama",
    "adapter": "none",
    "splits": ["test_unseen"],
    "max_samples": 2,
    "max_schemas": None,
    "constrained": True,
    "baselines": False,
    "max_new_tokens": 64,
}


def config_at(root: Path, url: str, **teacher: Any) -> Config:
    """A small run below `root` whose teacher and judge are the random model; a random model needs some temperature."""
    asked = {"provider": "ollama", "model": MODEL, "hosts": [url], "think": None, "num_predict": 1024}
    asked |= {"temperature": 1.0, "cache_path": str(root / "cache.sqlite"), "patience_seconds": 20}
    sections = {
        "extends": str(ROOT / "config" / "embedded.json"),
        "run": {"outputs_root": str(root / "out"), "pretty_dir": str(root / "out" / "pretty")},
        "dataset_generation": DATA,
        "teacher": asked | teacher,
        "evaluation": EVALUATION,
    }
    path = root / "config.json"
    path.write_text(json.dumps(sections))
    return load_config(path)


def run_stages(config: Config) -> None:
    """Runs all stages of this test."""
    for name in STAGES:
        import_module(f"astudent.stages.{name}").run(config, Options())


@dataclass(frozen=True)
class Finished:
    """A run and what the server's log says of it: the status of each chat."""

    config: Config
    chats: list[int]

    def usage(self) -> dict[str, Any]:
        """teacher_usage.json"""
        return json.loads((Path(self.config.run.outputs_root) / "teacher_usage.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def finished(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    config = config_at(tmp_path_factory.mktemp("run"), server.url)
    before = len(server.chats())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        run_stages(config)
        yield Finished(config, server.chats()[before:])


def test_every_accepted_ast_is_valid_under_its_schema(finished: Finished):
    settings = finished.config.dataset_generation
    positives = [row for row in read_rows(settings.dataset_out, DatasetRow) if row.is_valid]
    assert (
        len(positives) >= 6
    )  # of 10: a random model says the same twice, or never ends, more often than is allowed for
    assert not any(validator_for(row.schema_json).problems(row.ast_json) for row in positives)
    assert {row.language for row in positives} == {"en", "fr"}
    assert {(row.made_by.provider, row.made_by.model) for row in positives} == {("ollama", MODEL)}
    assert list(read_rows(settings.training_corpus_out, CorpusRow))


def test_the_server_got_every_call_once(finished: Finished):
    total = finished.usage()["total"]
    assert set(finished.chats) == {200}
    assert len(finished.chats) == total["calls"] + total["retries"]


def test_the_same_again_asks_nothing(finished: Finished, server: RealServer):
    usage, chats = finished.usage(), len(server.chats())
    run_stages(finished.config)
    assert len(server.chats()) == chats and finished.usage() == usage


def test_formats_are_kept_to(finished: Finished):
    assert finished.usage()["total"]["unbound"] == 0


def test_the_judge_is_asked_about_valid_answers(finished: Finished):
    folder = Path(finished.config.evaluation.out_dir) / "constrained"
    rows = [json.loads(line) for line in (folder / "evaluation_results.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["teacher_verdict"] for row in rows} <= {"accept", "reject"}
    assert finished.usage()["stages"]["07"]["calls"] >= sum(row["schema_valid"] for row in rows) > 0
