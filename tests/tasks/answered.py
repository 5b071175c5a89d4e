"""Result rows of given answers, measured as stage 07 measures them."""

import json
from typing import Any

from astudent.evaluation.judging import execution_judge, result_row
from astudent.evaluation.metrics import Scorer
from astudent.evaluation.results import AnswerRow, ResultRow
from astudent.evaluation.samples import Sample
from astudent.records import DatasetRow, MadeBy


def answered(known: Any, answer: Any, schema: dict[str, Any], **given: Any) -> ResultRow:
    """The result row of an answer (None: a text that is no JSON); `given` are fields of the dataset row."""
    fields: dict[str, Any] = {
        "query_id": "q",
        "schema_id": "s",
        "domain_id": "recipe",
        "language": "en",
        "schema_json": schema,
        "query": "a text",
        "ast_json": known,
        "is_valid": True,
        "split": "test_seen",
        "names": "seen",
        "source": "generated",
        "made_by": MadeBy(provider="program", model="test"),
    }
    row = DatasetRow(**{**fields, **given})
    text = "no JSON" if answer is None else json.dumps(answer)
    said = AnswerRow(
        query_id=row.query_id,
        kind="plain",
        prompt_text="",
        text=text,
        prompt_tokens=1,
        completion_tokens=1,
        finish="stop",
        latency_seconds=0.1,
    )
    sample, scorer = Sample(row.query_id, "plain", row), Scorer(schema)
    score = scorer.score_text(text, known)
    return result_row(sample, said, score, execution_judge(sample, score), "free", scorer)
