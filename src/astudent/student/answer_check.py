"""Greedy answers on a few held-out rows while training: parsed, valid under the schema, and of the right meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from astudent.evaluation.metrics import Scorer
from astudent.generation import Generation
from astudent.records import CorpusRow
from astudent.settings import Training
from astudent.student.generate import generate
from astudent.student.load import Student
from astudent.student.prompt import render

Known = tuple[str, dict[str, Any], dict[str, Any]]
"""Schema id, schema and known answer of a row."""


class AnswerCheck:
    """Called at evaluations; asks `answers` (one text for each of `known`) at every `every` steps, and at the `last` one.
    `prompts` are the rows' own, rendered, by schema id, where they may share prefixes."""

    def __init__(
        self,
        known: Sequence[Known],
        answers: Callable[[], Sequence[str]],
        every: int,
        last: int | None,
        prompts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.known, self.answers, self.every, self.last = list(known), answers, every, last
        self.prompts = prompts or {}
        self._scorers: dict[str, Scorer] = {}

    def __call__(self, model: Any, step: int) -> dict[str, float]:
        """Rates over the rows, or nothing when it is not time."""
        if step % self.every and step != self.last:
            return {}
        scores = [
            self._scorer(schema_id, schema).score_text(text, known)
            for (schema_id, schema, known), text in zip(self.known, self.answers(), strict=True)
        ]
        return {
            "eval_answers": len(scores),
            "eval_parsed_rate": sum(score.parsed for score in scores) / len(scores),
            "eval_schema_valid_rate": sum(score.schema_valid for score in scores) / len(scores),
            "eval_semantic_pass_rate": sum(score.equivalent for score in scores) / len(scores),
        }

    def _scorer(self, schema_id: str, schema: dict[str, Any]) -> Scorer:
        if schema_id not in self._scorers:
            self._scorers[schema_id] = Scorer(schema)
        return self._scorers[schema_id]


def text_check(student: Student, rows: Sequence[CorpusRow], settings: Training) -> AnswerCheck | None:
    """The check of plain rows that the configuration asks for; None when it asks for none."""
    plain = [row for row in rows if row.kind == "plain"][: settings.generation_eval_samples]
    if settings.generation_eval_steps is None or not plain:
        return None
    by_schema: dict[str, list[CorpusRow]] = {}
    for row in plain:
        by_schema.setdefault(row.schema_id, []).append(row)
    asked = [row for of_schema in by_schema.values() for row in of_schema]
    prompts = {key: [render(student.tokenizer, row.prompt) for row in of] for key, of in by_schema.items()}
    how = Generation(settings.generation_eval_max_new_tokens)

    def answers() -> list[str]:
        return [answer.text for answer in generate(student, prompts, how)]

    known = [(row.schema_id, row.schema_json, row.ast_json) for row in asked]
    return AnswerCheck(known, answers, settings.generation_eval_steps, settings.max_steps, prompts)
