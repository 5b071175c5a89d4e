"""Every figure of a comparison, as JSON: rates run by run, each run against the reference, by split and by slice."""

from collections.abc import Sequence
from typing import Any

from astudent.errors import UsageError
from astudent.evaluation.comparison import RunComparison, adjusted, compare_runs, judged_metric
from astudent.evaluation.summary import rates
from astudent.side_by_side.runs import ComparedRun, on_shared_samples

METRICS = ("semantic_pass", "equivalent", "json_exact", "exact_match", "canonical_equal", "schema_valid", "parsed")
BY = ("language", "names", "depth", "conditions", "construct", "operator", "field type", "grade", "trap")
SETTINGS = ("temperature", "max_new_tokens", "base_model", "dataset_sha256")
"""What may differ between runs, and is then said."""

Json = dict[str, Any]


def figures(runs: Sequence[ComparedRun], metric: str | None = None, by: Sequence[str] = ()) -> Json:
    """Compares every run with the first one, on the samples that all have.

    UsageError for a metric or a slice that there is not, or that a run lacks; as `on_shared_samples` otherwise.
    """
    _check_names(metric, by)
    cut, left_out = on_shared_samples(runs)
    chosen, notes = choose_metric(cut, metric)
    splits = dict.fromkeys(split for split, _ in cut[0].samples)
    return {
        "reference": cut[0].label,
        "metric": chosen,
        "runs": [{"label": run.label, "folder": str(run.folder), **run.about} for run in cut],
        "left_out": left_out,
        "notes": notes + _differences(cut),
        "splits": {split: _of_split(cut, split, chosen, by) for split in splits},
    }


def choose_metric(runs: Sequence[ComparedRun], wanted: str | None) -> tuple[str, list[str]]:
    """The field of a result row that says who was right, and what must be said of the choice.

    Without a wish it is the judge's pass where one and the same judge read all runs, else truth by execution.
    """
    rows = [sample.row for run in runs for sample in run.samples.values()]
    judges = {str(run.about.get("judge")) for run in runs}
    possible = "equivalent" if len(judges) > 1 else judged_metric(rows)
    if wanted is None:
        note = "The runs were not read by one and the same judge, so truth is by execution."
        return possible, [note] if len(judges) > 1 else []
    if wanted == "semantic_pass" and possible != wanted:
        raise UsageError(
            "--metric semantic_pass: the runs were not all read by one and the same judge", "Take equivalent."
        )
    if all(getattr(row, wanted) is None for row in rows):
        raise UsageError(f"--metric {wanted}: the runs were evaluated before it was measured", "Evaluate them again.")
    return wanted, []


def _check_names(metric: str | None, by: Sequence[str]) -> None:
    if metric is not None and metric not in METRICS:
        raise UsageError(f"--metric {metric}: no such metric", f"Take one of {', '.join(METRICS)}.")
    unknown = [name for name in by if name not in BY]
    if unknown:
        raise UsageError(f"--by {unknown[0]}: no such slice", f"Take one of {', '.join(BY)}.")


def _differences(runs: Sequence[ComparedRun]) -> list[str]:
    values = {name: [run.about.get(name) for run in runs] for name in SETTINGS}
    differing = {name: found for name, found in values.items() if len(set(map(str, found))) > 1}
    return [f"Not the same in all runs: {name} ({', '.join(map(str, found))})." for name, found in differing.items()]


def _of_split(runs: Sequence[ComparedRun], split: str, metric: str, by: Sequence[str]) -> Json:
    (whole,) = _table(runs, split, metric, [None])
    return {**whole, "by": {name: _by(runs, split, metric, name) for name in by}}


def _by(runs: Sequence[ComparedRun], split: str, metric: str, name: str) -> Json:
    samples = [sample for sample in runs[0].samples.values() if sample.row.split == split]
    values = sorted({value for sample in samples for each, value in sample.slices if each == name})
    return dict(zip(values, _table(runs, split, metric, [(name, value) for value in values]), strict=True))


def _table(runs: Sequence[ComparedRun], split: str, metric: str, parts: Sequence[tuple[str, str] | None]) -> list[Json]:
    """The figures of each part of a split (None: all of it); Holm's adjustment is over all that stand in this one table."""
    found = [_against_first(runs, split, metric, part) for part in parts]
    together = iter(adjusted([pair for pairs in found for pair in pairs]))
    return [
        {
            "samples": len(runs[0].rows(split, part)),
            "rates": {run.label: rates(run.rows(split, part)) for run in runs},
            "pairs": [_as_json(next(together)) for _ in pairs],
        }
        for part, pairs in zip(parts, found, strict=True)
    ]


def _against_first(
    runs: Sequence[ComparedRun], split: str, metric: str, part: tuple[str, str] | None
) -> list[RunComparison]:
    first = (runs[0].label, runs[0].rows(split, part))
    compared = (compare_runs(first, (run.label, run.rows(split, part)), split, metric) for run in runs[1:])
    return [found for found in compared if found]


def _as_json(found: RunComparison) -> Json:
    result = found.result
    return {
        "before": found.before,
        "after": found.after,
        **vars(result),
        "interval": [result.interval.low, result.interval.high],
    }
