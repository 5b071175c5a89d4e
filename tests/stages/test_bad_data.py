"""Bad input of stages 01 to 05: one error that says what, where and what to do."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from astudent.errors import RunError
from astudent.settings import Config


@pytest.fixture
def copied(pipeline: SimpleNamespace, made: Config, tmp_path: Path) -> Config:
    """A configuration whose d_01 to d_04 are a finished run's, free to be broken."""
    config = pipeline.config()
    shutil.copytree(
        made.run.outputs_root, config.run.outputs_root, ignore=shutil.ignore_patterns("d_05*", "*.run.json")
    )
    return config


def rewrite(path: str, change: Any) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    change(rows)
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def test_no_prompts(pipeline: SimpleNamespace, tmp_path: Path):
    empty = tmp_path / "none.jsonl"
    empty.write_text("")
    with pytest.raises(RunError, match="no domain prompt"):
        pipeline.run(pipeline.config(prompts_path=str(empty)), "domain_specs")


def test_a_prompt_twice(pipeline: SimpleNamespace, tmp_path: Path):
    path = tmp_path / "twice.jsonl"
    path.write_text('{"domain_id": "shop", "language": "en", "prompt": "A shop."}\n' * 2)
    with pytest.raises(RunError, match=r"twice.jsonl:2:domain_id: shop stands twice"):
        pipeline.run(pipeline.config(prompts_path=str(path)), "domain_specs")


def test_a_missing_input_names_the_file(pipeline: SimpleNamespace):
    with pytest.raises(RunError, match=r"d_01_domain_specs.jsonl: no such file"):
        pipeline.run(pipeline.config(), "schemas")


def test_a_row_that_is_no_json(copied: Config, pipeline: SimpleNamespace):
    path = Path(copied.dataset_generation.dataset_out)
    lines = path.read_text().splitlines()
    lines[4] = lines[4][:50]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunError, match=r"d_04_dataset.jsonl:5"):
        pipeline.run(copied, "corpus")
    assert not Path(copied.dataset_generation.training_corpus_out).exists()


def test_an_empty_data_set(copied: Config, pipeline: SimpleNamespace):
    Path(copied.dataset_generation.dataset_out).write_text("")
    with pytest.raises(RunError, match="violations of the quality gate"):
        pipeline.run(copied, "corpus")


def test_a_schema_that_points_outside_itself(copied: Config, pipeline: SimpleNamespace):
    def point_outside(rows: list[dict[str, Any]]) -> None:
        rows[3]["schema_json"]["properties"]["where"] = {"$ref": "file:///etc/passwd"}

    broken = rewrite(copied.dataset_generation.dataset_out, point_outside)[3]
    with pytest.raises(RunError, match=broken["query_id"]):
        pipeline.run(copied, "corpus")


def test_a_failing_gate_stops_before_the_corpus_and_leaves_its_verdict(
    copied: Config, pipeline: SimpleNamespace, capsys: pytest.CaptureFixture[str]
):
    def leak(rows: list[dict[str, Any]]) -> None:
        source = next(row for row in rows if row["split"] == "test_seen" and row["is_valid"])
        rows.append(source | {"query_id": "leaked-0", "split": "train"})

    rewrite(copied.dataset_generation.dataset_out, leak)
    with pytest.raises(RunError, match="leaked-0") as caught:
        pipeline.run(copied, "corpus")
    assert "training_corpus_metadata.json" in caught.value.hint
    corpus = Path(copied.dataset_generation.training_corpus_out)
    assert not corpus.exists()
    metadata = json.loads((corpus.parent / "training_corpus_metadata.json").read_text())
    assert metadata["verdict"] == "fail" and metadata["corpus_rows"] == 0
    assert "request_leak" in capsys.readouterr().err


def test_requests_of_another_teacher_are_refused_by_name(copied: Config, pipeline: SimpleNamespace):
    def disown(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["made_by"]["provider"], row["ast_json"] = "ollama", None

    rewrite(copied.dataset_generation.schema_queries_out, disown)
    pipeline.run(copied, "dataset")
    answers = pipeline.rows(copied.dataset_generation.dataset_out.replace(".jsonl", ".answers.jsonl"))
    failed = [row for row in answers if row["ast_json"] is None]
    assert failed and all("answers only requests that it wrote" in row["error"] for row in failed)


def test_a_schema_that_falls_short_is_named(
    pipeline: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from astudent.teacher.embedded import EmbeddedTeacher

    config = pipeline.config(max_domains=2, schemas_per_domain=1, positives_per_schema=12)
    pipeline.run(config, "domain_specs", "schemas", "queries")

    async def none_more(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(EmbeddedTeacher, "write_queries", none_more)
    pipeline.run(config, "dataset")
    said = capsys.readouterr().err
    assert "bakery-00 lacks 5 of 12 rows" in said


def test_a_corpus_of_few_rows_takes_them_from_all_schemas(pipeline: SimpleNamespace, copied: Config):
    config = pipeline.config(max_samples=9, include_invalid=False)
    pipeline.run(config, "corpus")
    corpus = pipeline.rows(config.dataset_generation.training_corpus_out)
    assert len(corpus) == 9
    assert len({row["schema_id"] for row in corpus}) == 9
    assert {row["kind"] for row in corpus} == {"plain"}
