"""Folders of evaluations with known outcomes, made by the package's own scoring of right and wrong answers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from small_language import whole_schema

from astudent.evaluation.judging import execution_judge, result_row
from astudent.evaluation.metrics import Scorer
from astudent.evaluation.phases import SUMMARY_NAME
from astudent.evaluation.results import AnswerRow, ResultRow
from astudent.evaluation.samples import Sample
from astudent.evaluation.summary import summarise
from astudent.jsonl import write_atomic
from astudent.records import DatasetRow, MadeBy
from astudent.side_by_side.runs import RESULTS_NAME

SCHEMA = whole_schema()
SCORER = Scorer(SCHEMA)
KNOWN = {"where": {"field": "price", "operator": "gt", "value": 2}}
OTHER = {"where": {"field": "state", "operator": "eq", "value": "new"}}
EMBEDDED: dict[str, Any] = {"provider": "embedded", "model": "embedded"}


def write_run(folder: Path, right: Sequence[bool], judge: dict[str, Any] | None = EMBEDDED, **about: Any) -> Path:
    """An evaluated run: of sample i the answer is right or wrong; even ones ask for a price in English, odd ones for a state
    in French; three samples stand under one schema."""
    rows = [row_of(number, is_right, judge is not None) for number, is_right in enumerate(right)]
    return write_rows(folder, rows, judge=judge, **about)


def write_rows(folder: Path, rows: Sequence[ResultRow], **about: Any) -> Path:
    write_atomic(folder / RESULTS_NAME, rows)
    told = {"adapter": f"runs/{folder.name}", "decoding": "free", "judge": EMBEDDED, "dataset_sha256": "d" * 64} | about
    write_atomic(folder / SUMMARY_NAME, json.dumps({**summarise(rows, "test_unseen"), "run": told}))
    return folder


def row_of(number: int, is_right: bool, judged: bool = True, **asked: Any) -> ResultRow:
    known, other = (KNOWN, OTHER) if number % 2 == 0 else (OTHER, KNOWN)
    row = DatasetRow(
        **{
            "query_id": f"q{number}",
            "schema_id": f"s{number // 3}",
            "domain_id": "small",
            "language": "en" if number % 2 == 0 else "fr",
            "schema_json": SCHEMA,
            "query": f"request {number}",
            "ast_json": known,
            "is_valid": True,
            "split": "test_unseen",
            "names": "new",
            "source": "generated",
            "made_by": MadeBy(**EMBEDDED),
        }
        | asked
    )
    sample, score = Sample(row.query_id, "plain", row), SCORER.score(known if is_right else other, row.ast_json)
    judgement = execution_judge(sample, score) if judged else None
    return result_row(sample, _answer(row.query_id, score.canonical or ""), score, judgement, "free", SCORER)


def _answer(query_id: str, text: str) -> AnswerRow:
    return AnswerRow(
        query_id=query_id,
        kind="plain",
        prompt_text="prompt",
        text=text,
        prompt_tokens=9,
        completion_tokens=4,
        finish="stop",
        latency_seconds=0.1,
    )
