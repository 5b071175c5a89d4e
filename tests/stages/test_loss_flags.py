"""Stage 06's flags of the loss: what a preview shows, and what is refused before anything is loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from astudent.config import load_config
from astudent.jsonl import write_atomic
from astudent.settings import Config

ROOT = Path(__file__).parents[2]


def stage(number: str, *flags: str) -> subprocess.CompletedProcess[str]:
    (script,) = (ROOT / "scripts").glob(f"{number}_*.py")
    return subprocess.run([sys.executable, str(script), *flags], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_preview_shows_rows_token_by_token_and_trains_nothing(made: Config, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    corpus = {"training_corpus": made.dataset_generation.training_corpus_out}
    own = {"extends": str(ROOT / "config/embedded.json"), "run": {"outputs_root": str(tmp_path / "out")}}
    write_atomic(config, json.dumps(own | {"training": corpus}))
    asked = ["--preview-masks", "2", "--use-selective-loss", "--selective-loss", "moderate"]
    told = stage("06", "--config", str(config), *asked)
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert sum(line.endswith("in all") for line in lines) == 2 and any(line.endswith("repair:") for line in lines)
    weights = {line.split()[-2]: line.split()[-1] for line in lines if line.startswith("'")}
    assert weights["END"] == "1" and weights["KEY"] == "-" and weights["ENUM_VALUE"] == "1"
    assert not Path(load_config(config).training.output_dir).exists()


@pytest.mark.parametrize(
    ("number", "flags", "says"),
    [
        ("06", ["--use-selective-loss", "--semantic-patterns", "("], "semantic_patterns: '(' cannot be read"),
        ("06", ["--role-weights", "KEYS=2"], "role_weights: no such role: KEYS"),
        ("10", ["--role-weights", "KEYS=2"], "role_weights: no such role: KEYS"),
    ],
)
def test_what_names_nothing_ends_the_stage_before_it_looks_at_the_machine(
    number: str, flags: list[str], says: str
) -> None:
    told = stage(number, "--config", "config/defaults.json", *flags)
    assert told.returncode == 2 and says in told.stderr, told.stderr
