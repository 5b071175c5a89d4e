"""Stages 01 to 05 of the benchmark tasks: what is left out, made, kept, redone and refused."""

import json
from pathlib import Path

import pytest
from small_tasks import ROOT, SIZES, config_of
from typer.testing import CliRunner

from astudent.cli import Options, stage_app
from astudent.config import load_config
from astudent.errors import RunError, UsageError
from astudent.jsonl import read_rows, write_atomic
from astudent.records import CorpusRow, DatasetRow
from astudent.stages import corpus, dataset, domain_specs, queries, schemas
from astudent.stages.corpus import gate_options
from astudent.tasks.registry import TASKS, task_named


@pytest.mark.parametrize("task", TASKS)
def test_a_task_needs_no_teacher(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(ROOT)
    config = config_of(task, tmp_path)
    for stage in (domain_specs, schemas, queries):
        stage.run(config, Options())
        stage.run(config, Options(dry_run=True))
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 6 and all(f"nothing to do: stage 04 makes the rows of the task {task}" in line for line in told)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("task", TASKS)
def test_rows_pass_the_gate_and_become_the_corpus(task: str, tmp_path: Path):
    config = config_of(task, tmp_path)
    dataset.run(config, Options())
    corpus.run(config, Options())
    settings = config.dataset_generation
    rows = list(read_rows(settings.dataset_out, DatasetRow))
    each = 24 if task == "documents" else 1
    assert {split: sum(row.split == split for row in rows) for split in SIZES} == {
        split: count * each for split, count in settings.task_rows.items()
    }
    assert {(row.made_by.provider, row.made_by.model) for row in rows} == {("program", task)}
    learned = {row.query_id: row for row in read_rows(settings.training_corpus_out, CorpusRow)}
    assert set(learned) == {row.query_id for row in rows if row.split == "train"}
    assert all(json.loads(learned[row.query_id].completion) == row.ast_json for row in rows if row.split == "train")
    metadata = json.loads((tmp_path / "out/training_corpus_metadata.json").read_text())
    assert metadata["verdict"] == "pass"
    assert sorted(path.name for path in (tmp_path / "out/pretty").iterdir()) == [
        "d_04_dataset.json",
        "d_05_training_corpus.json",
    ]


def test_more_training_rows_extend_and_other_sizes_begin_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def made(**sizes: int) -> tuple[list[str], str]:
        config = config_of("support", tmp_path, dataset_generation={"task_rows": SIZES | sizes})
        dataset.run(config, Options())
        return Path(config.dataset_generation.dataset_out).read_text().splitlines(), capsys.readouterr().out

    first, _ = made()
    assert made() == (first, "04: complete, nothing to do\n")
    more, told = made(train=30)
    assert set(first) < set(more) and "extended: dataset_generation.task_rows.train 24 -> 30" in told
    assert "changed: dataset_generation.task_rows.test_seen 8 -> 6" in made(test_seen=6)[1]
    assert len(list((tmp_path / "out/.previous").iterdir())) == 1


def test_a_dry_run_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    dataset.run(config_of("support", tmp_path), Options(dry_run=True))
    told = capsys.readouterr().out
    assert told == "04: the task support asks no teacher: Python makes its rows (24 train, 4 align, 8 test_seen)\n"
    assert not (tmp_path / "out").exists()


def test_sizes_are_a_flag_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    app = stage_app("04_generate_dataset", "", ["dataset_generation"], "dataset", asks=True)
    asked = ["--config", "config/support.json", "--dry-run", "--task-rows"]
    told = CliRunner().invoke(app, [*asked, "train=3,align=1,test_seen=2"])
    assert told.exit_code == 0 and "(3 train, 1 align, 2 test_seen)" in told.output
    assert CliRunner().invoke(app, [*asked, "train=2.5,align=1,test_seen=2"]).exit_code == 2


def test_a_named_teacher_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="--model x: the task documents asks no teacher"):
        dataset.run(config_of("documents", tmp_path), Options(model="x"))


def test_the_gate_asks_of_a_task_what_it_promises(tmp_path: Path):
    asked = {task: gate_options(config_of(task, tmp_path)) for task in TASKS}
    assert {task: (options.grounded, options.apart) for task, options in asked.items()} == {
        task: (True, False) for task in TASKS
    }
    language = gate_options(load_config(ROOT / "config/embedded.json"))
    assert (language.grounded, language.apart) == (False, True)


def test_a_value_that_no_text_states_stops_stage_05(tmp_path: Path):
    config = config_of("support", tmp_path)
    dataset.run(config, Options())
    path = Path(config.dataset_generation.dataset_out)
    rows = list(read_rows(path, DatasetRow))
    invented = rows[3].model_copy(update={"ast_json": rows[3].ast_json | {"order_id": "ZZ-00001"}})
    write_atomic(path, [*rows[:3], invented, *rows[4:]])
    with pytest.raises(RunError, match=f"1 violations of the quality gate: .*{rows[3].query_id}"):
        corpus.run(config, Options())


def test_an_unknown_task_is_one_line():
    with pytest.raises(UsageError, match="no task ledgers"):
        task_named("ledgers")
