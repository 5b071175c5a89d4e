"""One trial in a process of its own, so that its memory is its own: `python -m astudent.experiment.trial CONFIG`.

Stages 06 and 07 as a user runs them; what the training cost stands in costs.json beside the configuration.
"""

import json
import resource
import time
from pathlib import Path

import typer

from astudent.cli import Options, with_exit_code
from astudent.config import load_config
from astudent.jsonl import write_atomic
from astudent.stages import evaluate, train

COSTS = "costs.json"


def run(path: Path) -> None:
    """Trains and evaluates; what is done is not done again."""
    config = load_config(path)
    is_first_start = not Path(config.training.output_dir).exists()
    started = time.monotonic()
    train.run(config, Options())
    if is_first_start:  # of a training that was interrupted nobody knows how long it took in all
        costs = {"seconds": time.monotonic() - started, "peak_mb": peak_memory()}
        write_atomic(path.with_name(COSTS), json.dumps(costs) + "\n")
    evaluate.run(config, Options())


def peak_memory() -> float:
    """Megabytes: of the GPU where the training ran on one, else of the process."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(config: Path) -> None:
    with_exit_code(lambda: run(config))


if __name__ == "__main__":
    typer.run(main)
