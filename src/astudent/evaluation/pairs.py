"""Preference pairs from judged answers: the teacher's AST is chosen, the student's own wrong one rejected."""

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from astudent.errors import UsageError
from astudent.evaluation.metrics import Scorer
from astudent.evaluation.results import ResultRow
from astudent.evaluation.summary import accepted
from astudent.language.serialise import parse_ast
from astudent.records import Language, Record

ALIGN = "align"

with warnings.catch_warnings():
    # pydantic keeps a deprecated method named schema_json; the files' field bears that name.
    warnings.filterwarnings("ignore", message='Field name "schema_json"', category=UserWarning)

    class PairRow(Record):
        """dpo_pairs.jsonl: `prompt` is the rendered prompt, `chosen` and `rejected` two ASTs in one serialisation."""

        query_id: str
        schema_id: str
        language: Language
        schema_json: dict[str, Any]  # pyright: ignore[reportIncompatibleMethodOverride]
        prompt: str
        chosen: str
        rejected: str
        teacher_reason: str | None


@dataclass(frozen=True)
class Pairs:
    """The pairs, and why every other row made none: reason -> rows."""

    kept: list[PairRow]
    dropped: dict[str, int]


def build_pairs(
    rows: Iterable[ResultRow], *, only_rejected: bool = True, same_shape: bool = False, max_pairs: int | None = None
) -> Pairs:
    """Pairs from rows of split `align`; UsageError at the first row of another split.

    With `only_rejected` false a row that the teacher accepted, or never judged, may also make a pair; its two sides
    still differ in form. With `same_shape` they differ in names and values alone. Where several rows answer one
    request, each of its wrong answers makes one pair.
    """
    kept: list[PairRow] = []
    seen: set[tuple[str, str | None]] = set()
    dropped: Counter[str] = Counter()
    scorers: dict[str, Scorer] = {}
    for row in rows:
        _refuse_test_split(row)
        if row.schema_id not in scorers:
            scorers[row.schema_id] = Scorer(row.schema_json)
        reason = reason_to_drop(row, scorers[row.schema_id], only_rejected)
        if reason is None and same_shape and not _is_same_shape(row):
            reason = "another shape"
        if reason is None and (row.query_id, row.student_canonical) in seen:
            reason = "the same wrong answer again"
        if reason is None and max_pairs is not None and len(kept) >= max_pairs:
            reason = "beyond max_pairs"
        if reason:
            dropped[reason] += 1
        else:
            kept.append(_pair(row))
            seen.add((row.query_id, row.student_canonical))
    return Pairs(kept, dict(dropped))


def reason_to_drop(row: ResultRow, scorer: Scorer, only_rejected: bool) -> str | None:
    """Why this row makes no pair; None when it makes one."""
    if row.kind != "plain":
        return "repair row"
    if not row.parsed or row.student_canonical is None:
        return "student answer did not parse"
    if row.teacher_verdict == "error":
        return "teacher failed"
    if only_rejected and accepted(row) is not False:
        return "accepted by the teacher" if row.teacher_verdict == "accept" else "not judged"
    return _chosen_problem(row, scorer)


def _chosen_problem(row: ResultRow, scorer: Scorer) -> str | None:
    chosen, _ = parse_ast(row.teacher_canonical)
    if chosen is None or scorer.problems(chosen):
        return "chosen breaks the schema"
    if not scorer.score(chosen, row.ast_json).equivalent:
        return "chosen is not equivalent to the known answer"
    rejected, _ = parse_ast(row.student_canonical or "")
    if rejected is None or row.canonical_equal or scorer.canonical(rejected) == row.teacher_canonical:
        return "equal canonical forms"
    return None


def _is_same_shape(row: ResultRow) -> bool:
    chosen, rejected = (parse_ast(text)[0] for text in (row.teacher_canonical, row.student_canonical or ""))
    return _shape(chosen) == _shape(rejected)


def _shape(node: Any) -> Any:
    """An AST without its names and values; a list of values has no shape of its own."""
    if isinstance(node, dict):
        return {key: None if key == "value" else _shape(child) for key, child in node.items()}
    return [_shape(child) for child in node] if isinstance(node, list) else None


def _refuse_test_split(row: ResultRow) -> None:
    if row.split != ALIGN:
        raise UsageError(
            f"row {row.query_id} is of split {row.split!r}: preference pairs may only come from split {ALIGN!r}",
            "Evaluate with --split align and name its evaluation_results.jsonl.",
        )


def _pair(row: ResultRow) -> PairRow:
    return PairRow(
        query_id=row.query_id,
        schema_id=row.schema_id,
        language=row.language,
        schema_json=row.schema_json,
        prompt=row.prompt_text,
        chosen=row.teacher_canonical,
        rejected=row.student_canonical or "",
        teacher_reason=row.teacher_reason,
    )
