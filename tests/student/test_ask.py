"""`astudent ask --adapter`: an adapter, trained here for a few steps, answers by the record beside it."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from small_run import build, write_config

from astudent.asking.trained import how_trained
from astudent.cli import Options
from astudent.command import main
from astudent.config import load_config
from astudent.language.validation import validator_for
from astudent.stages import align, train

pytestmark = [pytest.mark.slow, pytest.mark.smoke]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"enum": ["open", "closed"]}, "paid": {"type": "boolean"}},
    "required": ["status", "paid"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both trainings of a small run, and a schema."""
    folder = tmp_path_factory.mktemp("ask")
    build(folder)
    config = load_config(write_config(folder, folder))
    train.run(config, Options())
    align.run(config, Options())
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    return folder


def ask(folder: Path, stage: str, capfd: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    adapter = folder / stage / "checkpoint-final"
    given = ["--adapter", str(adapter), "--schema", str(folder / "schema.json"), "--max-new-tokens", "40"]
    return called(capfd, monkeypatch, "ask", *given, *words, "what is open?")


def called(capfd: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["astudent", *words])
    capfd.readouterr()
    with pytest.raises(SystemExit) as caught:
        main()
    told = capfd.readouterr()
    return (caught.value.code if isinstance(caught.value.code, int) else 0), told.out, told.err


@pytest.mark.parametrize("stage", ["sft", "dpo"])
def test_constrained_it_prints_an_ast_and_nothing_else(
    run_folder: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch, stage: str
):
    code, out, err = ask(run_folder, stage, capfd, monkeypatch, "--constrained")
    assert (code, out.count("\n")) == (0, 1), err
    assert not validator_for(SCHEMA).problems(json.loads(out))


def test_the_line_of_the_page_answers_as_it_stands_there(run_folder: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch):
    page = (Path(__file__).parents[2] / "docs/serving.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^\$ astudent (ask --adapter .*)$", page, re.MULTILINE)
    here = {"schema.json": run_folder / "schema.json"}
    here["outputs/student_runs/gemma3-270m/checkpoint-final"] = run_folder / "sft/checkpoint-final"
    code, out, err = called(capfd, monkeypatch, *(str(here.get(word, word)) for word in shlex.split(line)))
    assert code == 0 and not validator_for(SCHEMA).problems(json.loads(out)), err


def test_what_a_poor_student_says_is_not_printed(run_folder: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch):
    code, out, err = ask(run_folder, "sft", capfd, monkeypatch)
    assert (code, out) == (1, "") and "no AST that the schema accepts" in err


@pytest.mark.parametrize("stage", ["sft", "dpo"])
def test_the_record_says_base_and_prompt(run_folder: Path, stage: str):
    config = load_config(run_folder / "config.json")
    trained = how_trained(run_folder / stage / "checkpoint-final", None)
    assert (trained.learning.base_model, trained.prompt) == (config.training.base_model, config.prompt)
