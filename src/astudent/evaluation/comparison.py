"""Two evaluated runs on the same samples: who won which, and whether that is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from astudent.evaluation.results import ResultRow
from astudent.evaluation.statistics import Comparison, compare, holm


@dataclass(frozen=True)
class RunComparison:
    """Run `after` against run `before` on `split`; `metric` is the field of a result row that says who was right."""

    before: str
    after: str
    split: str
    metric: str
    result: Comparison


def compare_runs(
    before: tuple[str, Sequence[ResultRow]],
    after: tuple[str, Sequence[ResultRow]],
    split: str,
    metric: str | None = None,
) -> RunComparison | None:
    """Compares the plain samples of `split` that both runs answered; None when they share none.

    Without a `metric` it is the judge's `semantic_pass` where both runs were judged, else `equivalent`. Samples of which
    one run's metric is not known (its judge failed) are left out.
    """
    first, second = _of_split(before[1], split), _of_split(after[1], split)
    shared = [query_id for query_id in first if query_id in second]
    if not shared:
        return None
    metric = metric or judged_metric([*first.values(), *second.values()])
    pairs = [(first[i], second[i]) for i in shared]
    known = [(a, b) for a, b in pairs if getattr(a, metric) is not None and getattr(b, metric) is not None]
    result = compare(
        [getattr(a, metric) for a, _ in known], [getattr(b, metric) for _, b in known], _clusters([a for a, _ in known])
    )
    return RunComparison(before[0], after[0], split, metric, result)


def adjusted(family: Sequence[RunComparison]) -> list[RunComparison]:
    """The comparisons of one table, each with Holm's p among all of them and the verdict that follows."""
    p_values = holm([found.result.p_value for found in family])
    return [replace(found, result=found.result.among(p)) for found, p in zip(family, p_values, strict=True)]


def judged_metric(rows: Sequence[ResultRow]) -> str:
    """The judge's pass where all rows were judged, else truth by execution."""
    return "semantic_pass" if all(row.teacher_verdict is not None for row in rows) else "equivalent"


def _clusters(rows: Sequence[ResultRow]) -> list[str]:
    """Schemas are what is resampled; under the one schema of a task, rows, or the interval would have no width."""
    schemas = [row.schema_id for row in rows]
    return schemas if len(set(schemas)) > 1 else [row.query_id for row in rows]


def _of_split(rows: Sequence[ResultRow], split: str) -> dict[str, ResultRow]:
    return {row.query_id: row for row in rows if row.split == split and row.kind == "plain"}
