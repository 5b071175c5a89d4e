"""The experiment: figures from trials made by hand, and one small run of the command for real."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from astudent.command import app
from astudent.config import load_config
from astudent.errors import UsageError
from astudent.evaluation.leaf_scores import leaf_scores
from astudent.experiment.plan import Trial, plan
from astudent.experiment.results import Finished, common_target, difference, steps_to, summary
from astudent.jsonl import write_atomic
from astudent.roles import GrammarRole
from astudent.settings import Config

ROOT = Path(__file__).parents[2]
SCHEMA = {"properties": {"kind": {"enum": ["red", "blue"]}, "note": {"type": "string"}, "n": {"type": "number"}}}


def finished(variant: str, seed: int, passes: list[bool], loss: list[float]) -> Finished:
    rows: Any = [
        type("Row", (), {"schema_id": f"s{i % 3}", "query_id": str(i), "semantic_pass": ok, "schema_valid": True,
                         "ast_json": {"n": 1}, "text": '{"n":1}', "schema_json": SCHEMA})()
        for i, ok in enumerate(passes)
    ]  # fmt: skip
    return Finished(Trial(variant, seed, Path(variant)), [0, 10, 20], loss, [x / 2 for x in loss], rows, 4.0, None)


def test_values_are_right_by_role_and_strings_are_measured_in_edits() -> None:
    known = {"kind": "red", "note": "abcd", "n": 5}
    answers = [{"kind": "red", "note": "abxd", "n": 5.0}, {"kind": "blue", "n": 6}, None]
    found = leaf_scores((known, answer, SCHEMA) for answer in answers)
    right = {role: (score.values, score.right) for role, score in found.roles.items()}
    assert right == {GrammarRole.ENUM_VALUE: (3, 1), GrammarRole.FREE_TEXT: (3, 0), GrammarRole.NUMBER: (3, 1)}
    # abxd: 1 edit; blue to red: 4 (b to r, without l and u, d more); a note of 4 missing; 7 of the answer that is no JSON
    assert (found.strings.errors, found.strings.characters) == (1 + 4 + 4 + 7, 21)


def test_steps_are_counted_to_a_loss_that_all_reach() -> None:
    slow, quick = finished("a", 1, [True], [1.0, 0.8, 0.5]), finished("b", 1, [True], [1.0, 0.4, 0.3])
    target = common_target([slow, quick], "loss")
    assert target == 0.5 and steps_to(slow, "loss", target) == 20 and steps_to(quick, "loss", target) == 10
    assert steps_to(slow, "value_loss", 0.1) is None


def test_the_difference_is_of_the_same_samples_and_seeds() -> None:
    base = [finished("baseline", 1, [False] * 30, [1, 1, 1]), finished("baseline", 2, [True] * 30, [1, 1, 1])]
    other = [finished("moderate", 1, [True] * 15 + [False] * 15, [1, 1, 1])]
    gain, interval = difference(other, base, "semantic_pass")
    assert gain == 0.5 and interval.low > 0  # seed 2 of the baseline has no counterpart
    figures = summary([*base, *other])["variants"]["moderate"]
    assert figures["against_baseline"]["difference"] == 0.5 and figures["seconds"]["mean"] == 4
    assert figures["peak_mb"] is None and figures["values_right"]["NUMBER"]["mean"] == 1


def test_variants_differ_in_the_loss_alone(tmp_path: Path) -> None:
    trials = plan(ROOT / "config/embedded.json", ["baseline", "moderate"], 2, tmp_path)
    assert [trial.label.split(",")[0] for trial in trials] == ["baseline", "moderate"] * 2
    one, other = (load_config(trial.config).training.model_dump() for trial in trials[:2])
    differ = {key for key in one if one[key] != other[key]}
    assert differ == {"use_selective_loss", "selective_loss", "output_dir"}
    assert load_config(trials[2].config).training.seed == one["seed"] + 1
    kept = plan(ROOT / "config/embedded.json", ["baseline", "moderate"], 1, tmp_path, keep_rate=0.1)
    assert [load_config(trial.config).training.keep_rate for trial in kept] == [0.0, 0.1]
    with pytest.raises(UsageError, match="timid"):
        plan(ROOT / "config/embedded.json", ["timid"], 1, tmp_path)


@pytest.mark.slow
@pytest.mark.smoke
def test_the_command_trains_evaluates_and_writes_a_page(
    made: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    training = {"max_steps": 2, "eval_steps": 1, "save_steps": 2, "eval_max_samples": 8, "generation_eval_steps": None}
    training |= {"training_corpus": made.dataset_generation.training_corpus_out, "metric_for_best": "eval_loss"}
    evaluation = {"dataset": made.dataset_generation.dataset_out, "max_samples": 4, "splits": ["test_unseen"]}
    config = tmp_path / "config.json"
    own = {"extends": str(ROOT / "config/embedded.json"), "run": {"outputs_root": str(tmp_path / "out")}}
    evaluation |= {"max_new_tokens": 8}
    write_atomic(config, json.dumps(own | {"training": training, "evaluation": evaluation}))
    asked = ["experiment", "--config", str(config), "--out-dir", str(tmp_path / "x"), "--variant", "baseline"]
    told = CliRunner().invoke(app, [*asked, "--variant", "aggressive", "--keep-rate", "0.5"])
    assert told.exit_code == 0, told.output
    figures = json.loads((tmp_path / "x" / "experiment.json").read_text())
    assert list(figures["variants"]) == ["baseline", "aggressive"] and figures["samples"] == 4
    assert [variant["keep_rate"] for variant in figures["variants"].values()] == [0.0, 0.5]
    for variant in figures["variants"].values():
        assert variant["seconds"]["mean"] > 0 and variant["peak_mb"]["mean"] > 100
    assert "aggressive" in (tmp_path / "x" / "experiment.html").read_text()
    assert (tmp_path / "x" / "plots" / "losses.png").stat().st_size > 1000
