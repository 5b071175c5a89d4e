"""One summary of all that stands beside a student: the same under the schema's grammar, and the baselines."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from astudent.evaluation.baselines import baseline_path, baselines_of
from astudent.evaluation.constraint import constraint_summary
from astudent.evaluation.phases import Target, write_summary
from astudent.evaluation.results import ResultRow
from astudent.evaluation.samples import Sample
from astudent.evaluation.summary import split_summary
from astudent.jsonl import read_rows
from astudent.settings import Config
from astudent.tasks.registry import task_of

Json = dict[str, Any]


def join_summaries(targets: Sequence[Target], samples: Sequence[Sample], baselines: Json) -> None:
    """Puts the baselines and the constrained figures into the summary of free decoding, side by side."""
    for target in targets:
        if target.decoding == "free":
            summary = json.loads(target.summary.read_text(encoding="utf-8"))
            joined = {**summary, **_constrained_beside(target, samples), "baselines": baselines}
            if joined != summary:
                write_summary(target.summary, joined)


def _constrained_beside(target: Target, samples: Sequence[Sample]) -> Json:
    """The whole summary of constrained decoding, and what it cost and changed; nulls where there was none."""
    folder = target.folder / "constrained"
    if not (folder / target.summary.name).exists():
        return {"constrained": None, "constraint": None}
    free, constrained = (list(read_rows(path, ResultRow)) for path in (target.results, folder / target.results.name))
    return {
        "constrained": json.loads((folder / target.summary.name).read_text(encoding="utf-8")),
        "constraint": constraint_summary(samples, free, constrained),
    }


def read_baselines(config: Config) -> Json:
    """baseline -> split -> rates, slices and, of a benchmark task, its figures."""
    found: Json = {}
    task = task_of(config)
    for name in baselines_of(config):
        rows = list(read_rows(baseline_path(Path(config.evaluation.base_out_dir), name), ResultRow))
        splits = dict.fromkeys(row.split for row in rows)
        if rows:
            found[name] = {split: split_summary([row for row in rows if row.split == split], task) for split in splits}
    return found
