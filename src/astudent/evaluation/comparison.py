"""Two evaluated runs on the same samples: who won which, and whether that is more than chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from astudent.evaluation.results import ResultRow
from astudent.evaluation.statistics import Comparison, compare


@dataclass(frozen=True)
class RunComparison:
    """Run `after` against run `before` on `split`; `metric` is `semantic_pass`, or `equivalent` without a judge."""

    before: str
    after: str
    split: str
    metric: str
    result: Comparison


def compare_runs(
    before: tuple[str, Sequence[ResultRow]], after: tuple[str, Sequence[ResultRow]], split: str
) -> RunComparison | None:
    """Compares the plain samples of `split` that both runs answered; None when they share none."""
    first, second = _of_split(before[1], split), _of_split(after[1], split)
    shared = [query_id for query_id in first if query_id in second]
    if not shared:
        return None
    metric, passed = _metric([*first.values(), *second.values()])
    judged = [i for i in shared if passed(first[i]) is not None and passed(second[i]) is not None]
    result = compare(
        [bool(passed(first[i])) for i in judged],
        [bool(passed(second[i])) for i in judged],
        _clusters([first[i] for i in judged]),
    )
    return RunComparison(before[0], after[0], split, metric, result)


def _clusters(rows: Sequence[ResultRow]) -> list[str]:
    """Schemas are what is resampled; under the one schema of a task, rows, or the interval would have no width."""
    schemas = [row.schema_id for row in rows]
    return schemas if len(set(schemas)) > 1 else [row.query_id for row in rows]


def _of_split(rows: Sequence[ResultRow], split: str) -> dict[str, ResultRow]:
    return {row.query_id: row for row in rows if row.split == split and row.kind == "plain"}


def _metric(rows: Sequence[ResultRow]) -> tuple[str, Callable[[ResultRow], bool | None]]:
    """The judge's pass where both runs were judged, else truth by execution."""
    if all(row.teacher_verdict is not None for row in rows):
        return "semantic_pass", lambda row: row.semantic_pass
    return "equivalent", lambda row: row.equivalent
