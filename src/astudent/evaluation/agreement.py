"""The judge against execution: how often they agree beyond chance, and on which answers they do not."""

from collections.abc import Sequence
from typing import Any

from astudent.evaluation.results import ResultRow
from astudent.evaluation.statistics import cohen_kappa

DISAGREEMENTS = {"accept_different": (True, False), "reject_equivalent": (False, True)}
"""Name -> (the judge accepts, execution finds the same meaning)."""


def accepted(row: ResultRow) -> bool | None:
    """The judge's yes or no; None where there was no judge or the judge failed."""
    return None if row.teacher_verdict in (None, "error") else row.teacher_verdict == "accept"


def judge_agreement(rows: Sequence[ResultRow]) -> dict[str, Any]:
    """The judge against execution on schema-valid answers: kappa, the four counts (judge first), what they disagree on.

    `errors` counts the valid answers on which the judge failed or gave no verdict that could be read: they are in none of
    the four. Under `disagreements` stand the `query_id`s for reading.
    """
    valid = [row for row in rows if row.schema_valid]
    judged = [(bool(accepted(row)), row.equivalent) for row in valid if accepted(row) is not None]
    return {
        "judged": len(judged),
        "errors": sum(row.teacher_verdict == "error" for row in valid),
        "kappa": cohen_kappa([judge for judge, _ in judged], [truth for _, truth in judged]),
        "accept_equivalent": judged.count((True, True)),
        "accept_different": judged.count((True, False)),
        "reject_equivalent": judged.count((False, True)),
        "reject_different": judged.count((False, False)),
        "disagreements": {name: [row.query_id for row in disagreed(rows, name)] for name in DISAGREEMENTS},
    }


def disagreed(rows: Sequence[ResultRow], name: str) -> list[ResultRow]:
    """The schema-valid answers on which judge and execution disagree in the way of that name."""
    return [row for row in rows if row.schema_valid and (accepted(row), row.equivalent) == DISAGREEMENTS[name]]
