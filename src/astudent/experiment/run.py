"""Runs an experiment trial by trial and writes its page. What is done is not done again."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from astudent.errors import RunError
from astudent.experiment.plan import Trial, plan
from astudent.experiment.report import document
from astudent.experiment.results import load, summary
from astudent.jsonl import write_atomic
from astudent.report.html import render_html
from astudent.report.markdown import render_markdown


def run(
    config: Path,
    variants: Sequence[str],
    repeats: int,
    out: Path,
    target: float | None = None,
    keep_rate: float | None = None,
) -> Path:
    """Trains and evaluates every variant on every seed; returns the page experiment.html in `out`.

    RunError where a trial failed; the same call goes on with it.
    """
    trials = plan(config, variants, repeats, out, keep_rate)
    for number, trial in enumerate(trials, start=1):
        print(f"experiment: {trial.label} ({number} of {len(trials)})", flush=True)
        _work(trial)
    finished = [load(trial) for trial in trials]
    found = summary(finished, target)
    page = document(found, finished, out)
    write_atomic(out / "experiment.json", json.dumps(found, indent=2) + "\n")
    write_atomic(out / "experiment.md", render_markdown(page, out))
    write_atomic(out / "experiment.html", render_html(page))
    return out / "experiment.html"


def _work(trial: Trial) -> None:
    command = [sys.executable, "-m", "astudent.experiment.trial", str(trial.config)]
    if subprocess.run(command, check=False).returncode != 0:
        raise RunError(f"{trial.label} failed, see above", "Mend it, then run the same command again.")
