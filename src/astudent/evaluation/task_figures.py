"""A benchmark task's own figures over result rows: of all of them, and of each group that the task names."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from astudent.evaluation.facts import FieldScore
from astudent.evaluation.results import ResultRow
from astudent.evaluation.statistics import Interval, ratio_bootstrap, wilson
from astudent.tasks.task import Task

FIELD_F1 = "field_f1"
Counted = Sequence[tuple[ResultRow, dict[str, bool]]]


def task_figures(rows: Sequence[ResultRow], task: Task) -> dict[str, Any]:
    """`all`: figure -> value and 95% interval; `by`: the same for each value of each slice. The task's name and version."""
    counted = [(row, task.outcomes(row)) for row in rows]
    groups: dict[str, dict[str, list[tuple[ResultRow, dict[str, bool]]]]] = defaultdict(lambda: defaultdict(list))
    for row, outcomes in counted:
        for name, value in task.groups(row):
            groups[name][value].append((row, outcomes))
    by = {name: {value: figures(groups[name][value]) for value in sorted(groups[name])} for name in groups}
    return {"name": task.name, "version": task.version, "all": figures(counted), "by": by}


def figures(counted: Counted) -> dict[str, Any]:
    """`samples`; a rate with Wilson's interval for each outcome; Field F1 (micro average) with a bootstrap over rows."""
    outcomes = [earned for _, earned in counted]
    rates = {name: _rate([earned[name] for earned in outcomes]) for name in (outcomes[0] if outcomes else ())}
    return {"samples": len(counted), **rates, FIELD_F1: _field_f1([row for row, _ in counted])}


def _rate(earned: Sequence[bool]) -> dict[str, Any]:
    return _figure(sum(earned) / len(earned), wilson(sum(earned), len(earned)))


def _field_f1(rows: Sequence[ResultRow]) -> dict[str, Any]:
    stated = np.array([[row.facts_answered + row.facts_known] for row in rows], dtype=np.float64).reshape(-1, 1)
    shared = np.array([[2 * row.facts_shared] for row in rows], dtype=np.float64).reshape(-1, 1)
    total = FieldScore(
        *(sum(getattr(row, f"facts_{part}") for row in rows) for part in ("shared", "answered", "known"))
    )
    return _figure(total.f1 if rows else None, ratio_bootstrap(stated, shared)[0] if rows else None)


def _figure(value: float | None, interval: Interval | None) -> dict[str, Any]:
    return {"value": value, "interval": [interval.low, interval.high] if interval else None}
