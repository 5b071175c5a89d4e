"""Two processes against one: the very scripts of stages 06 and 10, launched by torchrun over gloo."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from safetensors.torch import load_file
from small_run import ROOT, build, write_config
from test_sft import lines

from astudent.cli import Options
from astudent.config import load_config
from astudent.stages import align, train
from astudent.student.batching import own_stretch

SFT, DPO = "scripts/06_train_student_unsloth.py", "scripts/10_train_alignment_dpo.py"
EVEN: dict[str, Any] = {"logging_steps": 2}
UNEVEN: dict[str, Any] = {
    "batch_size": 7,
    "grad_accum": 1,
    "role_weights": {"KEY": 0.0},
    "keep_rate": 0.5,
    "optim": "sgd",
    "learning_rate": 0.5,
}
"""7 rows a step: 15 rows do not fill the epoch's steps, nor do 7 divide by 2, nor the 3 validation rows. Plain gradient
descent shows the gradient's size, which Adam hides."""


def torchrun(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "tests/student/launched.py"]
    env = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    return subprocess.run([*start, *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=500, check=False)


def interrupted(run: Path, copy: Path) -> None:
    """`copy` becomes the run as a kill after step 3 would have left it."""
    shutil.copytree(run, copy)
    for name in ("checkpoint-4", "checkpoint-5", "checkpoint-final"):
        shutil.rmtree(copy / name)
    record = copy / "run_config.json"
    text = record.read_text().replace(str(run), str(copy))
    record.write_text(text.replace('"finished": true', '"finished": false'))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Below `one` what a single process makes, below `two` what two make; `resumed` starts from the single one's files."""
    root = tmp_path_factory.mktemp("processes")
    build(root)
    commands: list[str] = []
    for name, changes in {"even": EVEN, "uneven": UNEVEN}.items():
        train.run(load_config(str(write_config(root, root / "one" / name, **changes))), Options())
        commands += [",", SFT, "--config", str(write_config(root, root / "two" / name, **changes))]
    align.run(load_config(str(root / "one" / "even" / "config.json")), Options())
    interrupted(root / "one" / "even" / "sft", root / "two" / "resumed" / "sft")
    commands += [",", SFT, "--config", str(write_config(root, root / "two" / "resumed", **EVEN))]
    commands += [",", DPO, "--config", str(root / "two" / "even" / "config.json")]
    result = torchrun(*commands[1:])
    assert result.returncode == 0, result.stderr
    assert "resuming from" in result.stdout
    (root / "said").write_text(result.stdout)
    return root


def largest_difference(one: Any, other: Any) -> float:
    """Over all numbers of two lines that must otherwise be equal; relative for those above 1."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return max((largest_difference(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, float):
        return abs(one - other) / max(abs(one), 1.0)
    assert one == other
    return 0.0


def adapter(run: Path) -> torch.Tensor:
    """All trained weights in one row."""
    weights = load_file(run / "checkpoint-final" / "adapter_model.safetensors")
    return torch.cat([weights[name].double().flatten() for name in sorted(weights)])


@pytest.mark.slow
@pytest.mark.smoke
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("even/sft", "even/sft"),
        ("uneven/sft", "uneven/sft"),
        ("even/sft", "resumed/sft"),
        ("even/dpo", "even/dpo"),
        ("even/control", "even/control"),
    ],
)
def test_two_processes_do_what_one_does(runs: Path, one: str, two: str) -> None:
    """Lines (evaluation included) and the final adapter."""
    before, after = lines(runs / "one" / one), lines(runs / "two" / two)
    assert [line["step"] for line in before] == [line["step"] for line in after]
    assert max(largest_difference(*pair) for pair in zip(before, after, strict=True)) < 1e-5
    weights, others = adapter(runs / "one" / one), adapter(runs / "two" / two)
    assert (weights - others).norm() / weights.norm() < 1e-5


@pytest.mark.slow
@pytest.mark.smoke
def test_one_process_speaks_and_each_keeps_its_random_state(runs: Path) -> None:
    said = (runs / "said").read_text().splitlines()
    assert sum("for validation" in line for line in said) == 3 and sum("pairs;" in line for line in said) == 1
    out = runs / "two" / "even" / "sft"
    assert json.loads((out / "run_config.json").read_text())["finished"]
    assert {file.name for file in out.glob("checkpoint-5/rng_state*")} == {"rng_state_0.pth", "rng_state_1.pth"}
    assert not list(out.glob(".*"))


@pytest.mark.slow
def test_nan_in_one_process_ends_both_with_one_line(tmp_path: Path) -> None:
    build(tmp_path)
    result = torchrun(SFT, "--config", str(write_config(tmp_path, tmp_path / "out")), POISON="1")
    assert result.returncode != 0
    said = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(said) == 1 and "nan at step 1" in said[0]
    saved = json.loads((tmp_path / "out" / "sft" / "nan_batch.json").read_text())
    assert len({row["row_id"] for row in saved["rows"]}) == 6


@pytest.mark.slow
def test_a_step_has_a_row_for_each_process(tmp_path: Path) -> None:
    build(tmp_path)
    config = write_config(tmp_path, tmp_path / "out", batch_size=1, grad_accum=1)
    result = torchrun(SFT, "--config", str(config))
    said = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert result.returncode != 0 and len(said) == 1 and "for 2 processes" in said[0]


def test_the_other_stages_refuse_a_launch_of_several() -> None:
    env = os.environ | {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"}
    start = [sys.executable, "scripts/02_build_schemas.py", "--config", "config/embedded.json"]
    result = subprocess.run(start, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 2 and result.stderr.startswith("error: 2 processes were launched")


@pytest.mark.parametrize("file", sorted((ROOT / "config" / "accelerate").glob("*.yaml")), ids=lambda file: file.stem)
def test_accelerate_reads_its_configurations(file: Path) -> None:
    """A key that it does not know is an error to it."""
    config: Any = load_config_from_file(str(file))
    assert config.num_processes == 2 and config.distributed_type in ("FSDP", "DEEPSPEED")


def test_shares_are_even_whole_and_cut_where_the_schema_changes() -> None:
    runs_of = {name: [name[i] for i in range(len(name))] for name in ("aaaaabbbbbcccccd", "aaaa", "abc", "a", "")}
    assert own_stretch(runs_of["aaaaabbbbbcccccd"], 0, 2) == slice(0, 10)
    assert own_stretch(runs_of["aaaa"], 1, 2) == slice(2, 4)
    for rows in runs_of.values():
        for world in (1, 2, 3, 5):
            parts = [own_stretch(rows, rank, world) for rank in range(world)]
            assert [row for part in parts for row in rows[part]] == rows
            assert len(rows) < world or all(rows[part] for part in parts)
