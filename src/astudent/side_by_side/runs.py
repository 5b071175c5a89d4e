"""Evaluated runs as they are compared: read from their folders, and cut down to the samples that all of them answered."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from astudent.errors import RunError, UsageError
from astudent.evaluation.results import ResultRow
from astudent.evaluation.slices import row_slices
from astudent.jsonl import read_rows
from astudent.language.serialise import dumps
from astudent.report.measured import measured_run

RESULTS_NAME = "evaluation_results.jsonl"
Key = tuple[str, str]
"""A sample: its split, and its `query_id` there."""


@dataclass(frozen=True)
class ComparedSample:
    """One plain request that a run answered. `row` without schema and prompt; `identity` is a hash of all that was asked:
    schema, request, known answer."""

    row: ResultRow
    slices: frozenset[tuple[str, str]]
    identity: str


@dataclass(frozen=True)
class ComparedRun:
    """An evaluated run. `about` is what its summary says of who was evaluated, on what, and who judged."""

    label: str
    folder: Path
    about: dict[str, Any]
    samples: dict[Key, ComparedSample]

    def rows(self, split: str, within: tuple[str, str] | None = None) -> list[ResultRow]:
        """The rows of a split, or of one (slice, value) of it."""
        return [
            sample.row
            for sample in self.samples.values()
            if sample.row.split == split and (within is None or within in sample.slices)
        ]


def read_runs(folders: Sequence[Path]) -> list[ComparedRun]:
    """The runs in these folders, each under the shortest end of its path that tells it from the others.

    UsageError for a folder without an evaluation, or named twice; RunError where a sample is there twice.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("a run is named twice", "Name each folder once.")
    if len(folders) < 2:
        raise UsageError("one run cannot be compared", "Name two or more folders of evaluations.")
    return [
        ComparedRun(label, folder, measured_run(folder).about, _samples(folder / RESULTS_NAME))
        for label, folder in zip(labels(folders), folders, strict=True)
    ]


def labels(folders: Sequence[Path]) -> list[str]:
    """`eval-base`, or as many folders above it as are needed to tell the runs apart."""
    parts = [folder.resolve().parts for folder in folders]
    for depth in range(1, max(map(len, parts))):
        ends = ["/".join(part[-depth:]) for part in parts]
        if len(set(ends)) == len(ends):
            return ends
    return [str(folder.resolve()) for folder in folders]


def _samples(path: Path) -> dict[Key, ComparedSample]:
    found: dict[Key, ComparedSample] = {}
    twice: list[Key] = []
    for row in read_rows(path, ResultRow):
        if row.kind == "plain":
            key = (row.split, row.query_id)
            twice += [key] * (key in found)
            slim = row.model_copy(update={"schema_json": {}, "prompt_text": ""})
            found[key] = ComparedSample(slim, frozenset(row_slices(row)), _identity(row))
    if twice:
        split, query_id = twice[0]
        hint = "Evaluate again with --fresh."
        raise RunError(f"{path}: {len(twice)} samples are there more than once, as {query_id} of {split}", hint)
    return found


def _identity(row: ResultRow) -> str:
    asked = [row.schema_id, row.schema_json, row.query, row.ast_json]
    return hashlib.sha256(dumps(asked).encode()).hexdigest()


def on_shared_samples(runs: Sequence[ComparedRun]) -> tuple[list[ComparedRun], dict[str, dict[str, int]]]:
    """The runs with the samples that all of them have, and for each run how many of which split that leaves out.

    UsageError where nothing is shared; RunError where samples of one name are not the same in all runs.
    """
    shared = [key for key in runs[0].samples if all(key in run.samples for run in runs)]
    if not shared:
        raise UsageError(
            "the runs share no sample", "Compare runs that were evaluated on the same splits of one data set."
        )
    for run in runs[1:]:
        _refuse_others(runs[0], run, shared)
    kept = set(shared)
    left_out = {
        run.label: dict(Counter(split for split, name in run.samples if (split, name) not in kept)) for run in runs
    }
    cut = [replace(run, samples={key: run.samples[key] for key in shared}) for run in runs]
    return cut, {label: counts for label, counts in left_out.items() if counts}


def _refuse_others(first: ComparedRun, second: ComparedRun, shared: Sequence[Key]) -> None:
    other = [key for key in shared if first.samples[key].identity != second.samples[key].identity]
    if other:
        split, query_id = other[0]
        raise RunError(
            f"{len(other)} of {len(shared)} samples are not the same in {first.label} and {second.label}, as {query_id} of "
            f"{split}: another schema, request or known answer",
            "Evaluate both on the same data set.",
        )
