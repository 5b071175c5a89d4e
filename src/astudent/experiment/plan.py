"""What an experiment runs: variants of the loss, each on the same seeds, each with a configuration of its own."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.config import load_config
from astudent.errors import UsageError
from astudent.jsonl import write_atomic
from astudent.roles.selective import LEFT_OUT

BASELINE = "baseline"
VARIANTS = (BASELINE, *(strategy for strategy in LEFT_OUT if strategy != "none"))
Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Trial:
    """One training of one variant. `folder` holds its configuration and all its outputs."""

    variant: str
    seed: int
    folder: Path

    @property
    def config(self) -> Path:
        """Its own configuration."""
        return self.folder / "config.json"

    @property
    def label(self) -> str:
        return f"{self.variant}, seed {self.seed}"


def plan(
    config_path: Path, variants: Sequence[str], repeats: int, out: Path, keep_rate: float | None = None
) -> list[Trial]:
    """Writes each trial's configuration; the trials, seed by seed, so that an early look compares like with like.

    All read the corpus, the base and the data set of the configuration that they extend. UsageError for an unknown variant.
    """
    unknown = [variant for variant in variants if variant not in VARIANTS]
    if unknown:
        raise UsageError(f"--variant: {', '.join(unknown)}", f"Take some of {', '.join(VARIANTS)}.")
    config = load_config(config_path)
    trials = []
    for seed in range(config.training.seed, config.training.seed + repeats):
        for variant in variants:
            trial = Trial(variant, seed, out / variant / f"seed-{seed}")
            shared = {"dataset": config.evaluation.dataset, "base_out_dir": str(out / "base"), "baselines": False}
            of_all = {"training_corpus": config.training.training_corpus, "base_model": config.training.base_model}
            training = of_all | {"seed": seed} | loss_of(variant, keep_rate)
            write_config(config_path, trial.folder, {"training": training, "evaluation": shared})
            trials.append(trial)
    return trials


def loss_of(variant: str, keep_rate: float | None) -> dict[str, Any]:
    """The keys of `training` that make the variant; weights and patterns are those of the configuration, and so is a
    keep-rate of None."""
    if variant == BASELINE:
        return {"use_selective_loss": False, "role_weights": {}, "keep_rate": 0.0}
    kept = {} if keep_rate is None else {"keep_rate": keep_rate}
    return {"use_selective_loss": True, "selective_loss": variant} | kept


def write_config(extended: Path, folder: Path, changes: Changes) -> Path:
    """A configuration that extends another and keeps its outputs below `folder`; written only where it has changed."""
    path = folder / "config.json"
    own = {"extends": os.path.relpath(extended.resolve(), path.parent.resolve()), "run": {"outputs_root": str(folder)}}
    text = json.dumps(own | dict(changes), indent=2) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_atomic(path, text)
    return path
