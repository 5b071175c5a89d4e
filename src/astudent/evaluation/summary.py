"""Rates with Wilson intervals over result rows: for each split, each grade of names and each kind of request.

A rate that needs a judge is null without one, and rows whose judge failed leave its denominator: a teacher's failure
never counts against the student.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from astudent.evaluation.agreement import accepted, judge_agreement
from astudent.evaluation.facts import FieldScore
from astudent.evaluation.leaf_scores import StringScore
from astudent.evaluation.results import ResultRow
from astudent.evaluation.slices import row_slices
from astudent.evaluation.statistics import wilson
from astudent.evaluation.task_figures import task_figures
from astudent.tasks.task import Task

Rates = dict[str, Any]

RATES: dict[str, Callable[[ResultRow], bool | None]] = {
    "parsed_rate": lambda row: row.parsed,
    "schema_valid_rate": lambda row: row.schema_valid,
    "exact_match_rate": lambda row: row.exact_match,
    "json_exact_rate": lambda row: row.json_exact,
    "canonical_equal_rate": lambda row: row.canonical_equal,
    "equivalent_rate": lambda row: row.equivalent,
    "valid_but_wrong_rate": lambda row: row.schema_valid and not row.equivalent,
    "teacher_accept_rate": lambda row: accepted(row),
    "semantic_pass_rate": lambda row: row.semantic_pass,
    "truncated_rate": lambda row: row.finish == "length",
}


def summarise(rows: Sequence[ResultRow], headline: str, task: Task | None = None) -> dict[str, Any]:
    """The whole summary: rates of the split `headline` at the top, every split below `splits`, repair rows apart.

    Of a benchmark `task` every split holds the task's own figures too.
    """
    plain = [row for row in rows if row.kind == "plain"]
    repair = [row for row in rows if row.kind == "repair"]
    splits = {split: split_summary(group, task) for split, group in _by(plain, lambda row: row.split).items()}
    top = splits.get(headline, {})
    return {
        "split": headline,
        **{key: value for key, value in top.items() if key != "slices"},
        "splits": splits,
        "repair": {split: rates(group) for split, group in _by(repair, lambda row: row.split).items()},
    }


def split_summary(rows: Sequence[ResultRow], task: Task | None = None) -> dict[str, Any]:
    """Rates of one split, and of every slice of it; the figures of a benchmark task."""
    own = {"task": task_figures(rows, task)} if task else {}
    return {**rates(rows), "judge_agreement": judge_agreement(rows), **own, "slices": slices(rows, task)}


def rates(rows: Sequence[ResultRow]) -> Rates:
    """Every rate with its interval, the micro-averaged field scores and the mean costs of the rows."""
    values = {name: _rate([read(row) for row in rows]) for name, read in RATES.items()}
    fields = FieldScore(*(sum(getattr(r, f"facts_{part}") for r in rows) for part in ("shared", "answered", "known")))
    return {
        "samples": len(rows),
        "schemas": len({row.schema_id for row in rows}),
        "judged": sum(accepted(row) is not None for row in rows),
        "teacher_errors": sum(row.teacher_verdict == "error" for row in rows),
        **{name: rate for name, (rate, _) in values.items()},
        "intervals": {name: interval for name, (_, interval) in values.items()},
        "field_precision": fields.precision if rows else None,
        "field_recall": fields.recall if rows else None,
        "field_f1": fields.f1 if rows else None,
        "character_error_rate": _strings(rows).rate,
        "mean_prompt_tokens": _mean([row.prompt_tokens for row in rows]),
        "mean_completion_tokens": _mean([row.completion_tokens for row in rows]),
        **latency(rows),
    }


def latency(rows: Sequence[ResultRow]) -> dict[str, float | None]:
    """Mean, median and 90th percentile (s) of the samples' shares of their batches' time."""
    seconds = [row.latency_seconds for row in rows]
    median, high = map(float, np.quantile(seconds, [0.5, 0.9])) if seconds else (None, None)
    return {
        "mean_latency_seconds": _mean(seconds),
        "median_latency_seconds": median,
        "p90_latency_seconds": high,
    }


def slices(rows: Iterable[ResultRow], task: Task | None = None) -> dict[str, dict[str, Rates]]:
    """slice -> value -> rates; slices with several values a row (construct, operator) count it in each. A benchmark
    task's rows are sliced by its groups, those of the query language by the shape of the AST."""
    groups: dict[str, dict[str, list[ResultRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        members = [("names", row.names), ("language", row.language), *task.groups(row)] if task else [*row_slices(row)]
        members.append(("names and language", f"{row.names}, {row.language}"))
        for name, value in members:
            groups[name][value].append(row)
    return {name: {value: rates(groups[name][value]) for value in sorted(groups[name])} for name in sorted(groups)}


def _rate(outcomes: Sequence[bool | None]) -> tuple[float | None, list[float] | None]:
    known = [outcome for outcome in outcomes if outcome is not None]
    if not known:
        return None, None
    interval = wilson(sum(known), len(known))
    return sum(known) / len(known), [interval.low, interval.high]


def _strings(rows: Sequence[ResultRow]) -> StringScore:
    measured = [(row.string_errors, row.string_characters) for row in rows]
    return sum((StringScore(a, b) for a, b in measured if a is not None and b is not None), StringScore())


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _by(rows: Iterable[ResultRow], key: Callable[[ResultRow], str]) -> dict[str, list[ResultRow]]:
    groups: dict[str, list[ResultRow]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
