"""Command lines made from the configuration's keys."""

import errno
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from astudent.cli import Options, stage_app
from astudent.config import Config
from astudent.errors import RunError

Called = list[tuple[Config, Options]]
DEFAULTS = str(Path(__file__).parents[1] / "config/defaults.json")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    calls: Called = []
    _put_stage(monkeypatch, lambda config, options: calls.append((config, options)))
    return calls


def _put_stage(monkeypatch: pytest.MonkeyPatch, run: Callable[[Config, Options], None]) -> None:
    module = types.ModuleType("astudent.stages.made_up")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "astudent.stages.made_up", module)


def app(sections: list[str], **options: Any) -> typer.Typer:
    return stage_app("06_made_up", "in -> out: makes things up.", sections, "made_up", **options)


def invoke(stage: typer.Typer, *flags: str) -> tuple[int, str]:
    result = CliRunner().invoke(stage, ["--config", DEFAULTS, *flags])
    return result.exit_code, result.output


def test_flags_override_the_configuration(called: Called) -> None:
    flags = "--learning-rate 1e-4 --max-steps none --no-bf16 --load-in-4bit --role-weights KEY=0.5,NUMBER=2 --fresh"
    lists = "--target-modules q_proj --target-modules v_proj --backend transformers --max-samples 7"
    assert invoke(app(["training"]), *flags.split(), *lists.split()) == (0, "")
    (config, options) = called[0]
    training = config.training
    assert (training.learning_rate, training.max_steps, training.max_samples) == (1e-4, None, 7)
    assert (training.bf16, training.load_in_4bit, training.backend) == (False, True, "transformers")
    assert training.target_modules == ("q_proj", "v_proj") and training.role_weights == {"KEY": 0.5, "NUMBER": 2}
    assert options == Options(fresh=True, config=DEFAULTS)


def test_without_flags_the_configuration_stands(called: Called) -> None:
    assert invoke(app(["training"]))[0] == 0
    assert called[0][0].training.max_steps == 3000 and called[0][1] == Options(config=DEFAULTS)


def test_a_flag_may_be_spelled_otherwise(called: Called) -> None:
    stage = app(["alignment"], spelling={"alignment.only_rejected": "--only-rejected/--all"})
    assert invoke(stage, "--all")[0] == 0 and called[0][0].alignment.only_rejected is False
    assert invoke(stage, "--only-rejected")[0] == 0 and called[1][0].alignment.only_rejected is True
    assert invoke(stage, "--no-only-rejected")[0] == 2


def test_one_of_several_kinds(called: Called) -> None:
    for text, value in [("true", True), ("high", "high"), ("none", None)]:
        assert invoke(app(["teacher"]), "--think", text)[0] == 0
        assert called[-1][0].teacher.think == value
    code, said = invoke(app(["teacher"]), "--think", "harder")
    assert code == 2 and 'teacher.think = "harder"' in said


def test_the_model_that_a_person_names_is_told_apart(called: Called) -> None:
    stage = app(["teacher"], offline_fallback=True)
    assert invoke(stage, "--model", "qwen3:4b")[0] == 0
    assert called[0][0].teacher.model == called[0][1].model == "qwen3:4b"
    assert invoke(stage, "--offline-fallback")[0] == 0
    assert (called[1][0].teacher.provider, called[1][1].model) == ("embedded", None)
    assert invoke(stage, "--offline-fallback", "--model", "x")[0] == 2
    assert invoke(app(["evaluation"]), "--teacher-model", "judge")[0] == 0 and called[2][1].model == "judge"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--learnin-rate", "1"], "No such option"),
        (["--seed", "x"], "--seed"),
        (["--seed", "-3"], "the flags: training.seed = -3"),
        (["--max-steps", "many"], "--max-steps"),
        (["--role-weights", "KEY"], "--role-weights"),
        (["--backend", "magic"], "--backend"),
        (["--config", "absent.json"], "absent.json: cannot be read"),
        (["stray"], "stray"),
    ],
)
def test_a_wrong_flag_is_a_usage_error(called: Called, flags: list[str], says: str) -> None:
    code, said = invoke(app(["training"]), *flags)
    assert code == 2 and says in said and "Traceback" not in said and not called


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (RunError("d_05.jsonl: no rows", "Run stage 05."), 1, "error: d_05.jsonl: no rows. Run stage 05.\n"),
        (KeyboardInterrupt(), 1, "error: stopped. Run the same command again to resume.\n"),
        (OSError(errno.ENOSPC, "full", "x.jsonl"), 1, "error: no space left on the disk (x.jsonl)."),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 1, "error: Permission denied (x)\n"),
    ],
)
def test_what_ends_a_stage_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, says: str
) -> None:
    def fail(config: Config, options: Options) -> None:
        raise error

    _put_stage(monkeypatch, fail)
    got, said = invoke(app(["report"]))
    assert got == code and said.startswith(says) and said.count("\n") == 1


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(config: Config, options: Options) -> None:
        raise ZeroDivisionError

    _put_stage(monkeypatch, fail)
    assert isinstance(CliRunner().invoke(app(["report"]), ["--config", DEFAULTS]).exception, ZeroDivisionError)


def test_help_lists_each_key_with_its_meaning() -> None:
    code, said = invoke(app(["report", "quality"]), "--help")
    text = " ".join(said.split())
    assert code == 0 and "in -> out: makes things up." in text
    assert "--html / --no-html Write HTML beside the Markdown." in text
    assert "--near-duplicate-similarity" in text and "--fresh" in text
