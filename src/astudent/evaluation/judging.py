"""Phase two: answers become result rows, measured against the known AST and judged by the teacher."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from astudent.evaluation.metrics import Score, Scorer
from astudent.evaluation.results import AnswerRow, Decoding, ResultRow, Verdict
from astudent.evaluation.samples import Sample
from astudent.in_order import in_order
from astudent.jsonl import RowWriter, read_rows
from astudent.progress import Tally

Ast = dict[str, Any]
Judgement = tuple[Verdict, str]
Judge = Callable[[Sample, Score], Awaitable[Judgement]]

SHARED = {"schema_id", "domain_id", "split", "names", "grade", "trap", "language", "query", "schema_json"}
"""What a result row takes over from its dataset row."""

MEASURED = (
    *("parsed", "parse_error", "schema_valid", "exact_match", "json_exact"),
    *("canonical_equal", "equivalent", "equivalent_by"),
)
"""What a result row takes over from its score as it is."""


class Scorers:
    """One scorer for each schema, made when first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Scorer] = {}

    def of(self, sample: Sample) -> Scorer:
        """The scorer of the sample's schema."""
        if sample.row.schema_id not in self._made:
            self._made[sample.row.schema_id] = Scorer(sample.row.schema_json)
        return self._made[sample.row.schema_id]


def execution_judge(sample: Sample, score: Score) -> Judgement:
    """Truth by canonical form or execution, as a judge: for baselines, which no teacher is paid to read."""
    return (
        ("accept", score.equivalent_by or "")
        if score.equivalent
        else ("reject", "another meaning than the known answer")
    )


async def write_results(
    samples: Sequence[Sample],
    answers: Mapping[str, AnswerRow],
    path: Path,
    *,
    decoding: Decoding,
    judge: Judge | None,
    ahead: int = 1,
) -> None:
    """Appends the result rows that `path` lacks, in the order of `samples`.

    `judge` is asked about `ahead` answers at once, and only about those that the schema accepts: what breaks it is
    rejected without a question.
    """
    done = {row.query_id for row in read_rows(path, ResultRow, repair=True)} if path.exists() else set()
    scorers = Scorers()
    todo = [sample for sample in samples if sample.query_id not in done]

    async def judged(sample: Sample) -> tuple[Sample, Score, Judgement | None]:
        score = scorers.of(sample).score_text(answers[sample.query_id].text, sample.row.ast_json)
        return sample, score, await _judgement(judge, sample, score) if judge else None

    with RowWriter(path) as writer, Tally(f"07: {path.parent.name}", len(todo)) as progress:
        async for sample, score, judgement in in_order(progress.counted(judged), todo, ahead):
            writer.append(result_row(sample, answers[sample.query_id], score, judgement, decoding, scorers.of(sample)))


async def _judgement(judge: Judge, sample: Sample, score: Score) -> Judgement:
    if not score.parsed:
        return "reject", f"no AST: {score.parse_error}"
    if score.schema_errors:
        return "reject", f"breaks the schema: {score.schema_errors[0]}"
    return await judge(sample, score)


def result_row(
    sample: Sample, answer: AnswerRow, score: Score, judgement: Judgement | None, decoding: Decoding, scorer: Scorer
) -> ResultRow:
    """Everything about one sample in one row; the teacher's fields are null without a judgement."""
    row, (verdict, reason) = sample.row, judgement or (None, None)
    shared = row.model_dump(include=SHARED)
    return ResultRow(
        **shared,
        **answer.model_dump(),
        ast_json=row.ast_json,
        decoding=decoding,
        student_canonical=score.canonical,
        teacher_canonical=scorer.canonical(row.ast_json),
        **_measured(score),
        teacher_verdict=verdict,
        teacher_reason=reason,
        semantic_pass=None if verdict in (None, "error") else score.schema_valid and verdict == "accept",
    )


def _measured(score: Score) -> dict[str, Any]:
    measured = {name: getattr(score, name) for name in MEASURED}
    counts = {f"facts_{name}": count for name, count in asdict(score.fields).items()}
    counts |= {f"string_{name}": count for name, count in asdict(score.strings).items()}
    return {**measured, **counts, "field_f1": score.fields.f1, "schema_errors": list(score.schema_errors)}
