"""`kill -9` while a run trains: what is started again ends with the same weights and the same lines as a run that nobody killed."""

import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from test_dpo import ALIGNMENT, from_adapter, make_pairs
from test_sft import lines, new_student, settings, train

from astudent.student import checkpoint
from astudent.student.dpo import align
from astudent.student.trainer import save_adapter

STEPS: dict[str, Any] = {"max_steps": 12, "save_steps": 3}
FILES = ("adapter_model.safetensors", "adapter_config.json")
Job = Callable[[Path, Path], None]

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["test_kills"])  # torch and TRL are imported once, not at each start


def sft(out: Path, _: Path) -> None:
    torch.set_num_threads(1)
    train(out, **STEPS, eval_steps=3)


def dpo(out: Path, adapter: Path) -> None:
    torch.set_num_threads(1)
    align(from_adapter(adapter), make_pairs(), [], ALIGNMENT.model_copy(update=STEPS), out)


def run(job: Job, out: Path, adapter: Path, seconds: float | None = None) -> int | None:
    """The exit code of a process that does the job, killed after so many seconds."""
    process = forks.Process(target=job, args=(out, adapter))
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    return process.exitcode


@pytest.fixture(scope="module")
def sft_adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    save_adapter(new_student(settings()).model, folder)
    return folder


@pytest.fixture(scope="module")
def whole(sft_adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Job], tuple[Path, float]]:
    """A run of a job that nobody killed, and the seconds that it took."""
    known: dict[Job, tuple[Path, float]] = {}

    def get(job: Job) -> tuple[Path, float]:
        if job not in known:
            out = tmp_path_factory.mktemp(job.__name__) / "run"
            run(job, out.with_name("first"), sft_adapter)  # so that the time holds no import
            start = time.monotonic()
            assert run(job, out, sft_adapter) == 0
            known[job] = out, time.monotonic() - start
        return known[job]

    return get


@pytest.mark.slow
@pytest.mark.parametrize("point", [pytest.param(0, marks=pytest.mark.smoke), *range(1, 10)])
@pytest.mark.parametrize("job", [sft, dpo])
def test_a_killed_run_ends_as_if_it_had_not_been(
    job: Job, point: int, sft_adapter: Path, whole: Callable[[Job], tuple[Path, float]], tmp_path: Path
) -> None:
    reference, seconds = whole(job)
    out, delay = tmp_path / "run", seconds * random.Random(point).uniform(0.3, 0.95)
    while run(job, out, sft_adapter, delay) == 0:  # it was quicker than the first time: nothing was killed
        out, delay = tmp_path / f"{delay}", delay / 2
    assert run(job, out, sft_adapter) == 0
    last = checkpoint.latest(out)
    assert last is not None and last.name == "checkpoint-12"
    for file in FILES:
        assert (last / file).read_bytes() == (reference / last.name / file).read_bytes(), f"killed after {delay:.2f} s"
    assert lines(out) == lines(reference)
    assert not list(out.glob(".unfinished*"))
