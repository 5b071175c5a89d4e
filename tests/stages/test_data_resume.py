"""Runs that are repeated, enlarged, changed or killed."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from astudent.config import load_config
from astudent.settings import Config

ROOT = Path(__file__).parents[2]
OUTS = ("schema_specs_out", "final_schemas_out", "schema_queries_out", "dataset_out", "training_corpus_out")

STAGES = ("domain_specs", "schemas", "queries", "dataset", "corpus")

# Runs one stage; the N-th line that it writes is cut in half and the process dies before the next one.
KILLED = """
import os, signal, sys
import astudent.jsonl as jsonl
from importlib import import_module
from astudent.cli import Options
from astudent.config import load_config
config, stage, fatal = load_config(sys.argv[1]), sys.argv[2], int(sys.argv[3])
whole, written = jsonl.line_of, 0
def line_of(row):
    global written
    written += 1
    if written > fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    line = whole(row)
    return line[: len(line) // 2] if written == fatal else line
jsonl.line_of = line_of
import_module(f"astudent.stages.{stage}").run(config, Options())
"""


def hashes(config: Config) -> dict[str, str]:
    files = {name: Path(getattr(config.dataset_generation, name)) for name in OUTS}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.exists()}


def times(config: Config) -> Mapping[str, int]:
    root = Path(config.run.outputs_root)
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*.json*") if path.is_file()}


def test_the_same_again_does_nothing(pipeline: SimpleNamespace, capsys: pytest.CaptureFixture[str]):
    config = pipeline.config(max_domains=2, schemas_per_domain=1)
    pipeline.run(config)
    before = times(config)
    capsys.readouterr()
    pipeline.run(config)
    assert times(config) == before
    assert capsys.readouterr().out.splitlines() == [f"0{n}: complete, nothing to do" for n in range(1, 6)]


@pytest.mark.slow
def test_two_runs_of_one_configuration_give_the_same_files(pipeline: SimpleNamespace, tmp_path: Path):
    first = pipeline.config(max_domains=2)
    second = load_config(pipeline.write_config(tmp_path / "again", max_domains=2))
    pipeline.run(first)
    pipeline.run(second)
    assert hashes(first) == hashes(second)


@pytest.mark.slow
def test_a_larger_n_keeps_every_row_and_equals_a_run_that_began_with_it(pipeline: SimpleNamespace, tmp_path: Path):
    small = pipeline.config(max_domains=3)
    pipeline.run(small)
    kept = {row["query_id"]: row for row in pipeline.rows(small.dataset_generation.dataset_out)}
    large = pipeline.config(max_domains=3, positives_per_schema=14)
    pipeline.run(large)
    grown = {row["query_id"]: row for row in pipeline.rows(large.dataset_generation.dataset_out)}
    assert {key: grown[key] for key in kept} == kept
    assert not list((Path(large.run.outputs_root) / ".previous").rglob("d_04*"))
    other = load_config(pipeline.write_config(tmp_path / "other", max_domains=3, positives_per_schema=14))
    pipeline.run(other)
    assert hashes(large) == hashes(other)


@pytest.mark.slow
def test_more_variants_and_more_queries_extend(pipeline: SimpleNamespace, tmp_path: Path):
    small = pipeline.config(max_domains=2, schemas_per_domain=1, per_schema_queries=2)
    pipeline.run(small)
    specs = pipeline.rows(small.dataset_generation.schema_specs_out)
    large = pipeline.config(max_domains=2, schemas_per_domain=2, per_schema_queries=5)
    pipeline.run(large)
    assert pipeline.rows(large.dataset_generation.schema_specs_out)[: len(specs)] == specs
    other = load_config(
        pipeline.write_config(tmp_path / "other", max_domains=2, schemas_per_domain=2, per_schema_queries=5)
    )
    pipeline.run(other)
    assert hashes(large) == hashes(other)


@pytest.mark.slow
def test_more_queries_alone_extend_in_place(pipeline: SimpleNamespace, tmp_path: Path):
    pipeline.run(pipeline.config(max_domains=2, schemas_per_domain=1, per_schema_queries=2))
    large = pipeline.config(max_domains=2, schemas_per_domain=1, per_schema_queries=23)
    pipeline.run(large)
    changes: dict[str, Any] = {"max_domains": 2, "schemas_per_domain": 1, "per_schema_queries": 23}
    other = load_config(pipeline.write_config(tmp_path / "other", **changes))
    pipeline.run(other)
    assert hashes(large) == hashes(other)


def test_a_changed_ratio_asks_the_teacher_nothing(
    pipeline: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from astudent.teacher.embedded import EmbeddedTeacher

    pipeline.run(pipeline.config(max_domains=2))
    changed = pipeline.config(max_domains=2, negative_ratio=1.0, align_share=0.2)
    monkeypatch.delattr(EmbeddedTeacher, "answer")
    pipeline.run(changed, "dataset")
    said = capsys.readouterr().out
    assert "dataset_generation.negative_ratio 0.5 -> 1.0" in said
    data = pipeline.rows(changed.dataset_generation.dataset_out)
    assert sum(row["is_valid"] for row in data) == sum(not row["is_valid"] for row in data)
    assert list((Path(changed.run.outputs_root) / ".previous").rglob("d_04_dataset.jsonl"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "fatal"),
    [("domain_specs", 4), ("schemas", 3), ("queries", 11), ("dataset", 20), ("dataset", 75), ("corpus", 9)],
)
def test_a_killed_stage_resumes_to_the_same_files(
    stage: str, fatal: int, pipeline: SimpleNamespace, made: Config, tmp_path: Path
):
    config = pipeline.config()
    for earlier in STAGES[: STAGES.index(stage)]:
        pipeline.run(config, earlier)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "config.json"), stage, str(fatal)]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    assert ended.returncode == -9
    pipeline.run(config, *STAGES[STAGES.index(stage) :])
    assert hashes(config) == hashes(made)
