"""Greedy answers on a few held-out rows while training: parsed, valid under the schema, and of the right meaning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from astudent.evaluation.metrics import Scorer
from astudent.records import CorpusRow
from astudent.settings import Training
from astudent.student.generate import generate
from astudent.student.load import Student
from astudent.student.prompt import render


class AnswerCheck:
    """Called at evaluations; answers at every `every` steps, and at the last one. `prompts` are the rows', rendered, by schema id."""

    def __init__(self, student: Student, rows: Sequence[CorpusRow], every: int, last: int | None, limit: int) -> None:
        self.student, self.rows, self.every, self.last, self.limit = student, list(rows), every, last, limit
        self._scorers: dict[str, Scorer] = {}
        self._asked: dict[str, list[CorpusRow]] = {}
        for row in self.rows:
            self._asked.setdefault(row.schema_id, []).append(row)
        self.prompts = {
            schema_id: [render(student.tokenizer, row.prompt) for row in of_schema]
            for schema_id, of_schema in self._asked.items()
        }

    @staticmethod
    def build(student: Student, rows: Sequence[CorpusRow], settings: Training) -> AnswerCheck | None:
        """The check that the configuration asks for; None when it asks for none."""
        plain = [row for row in rows if row.kind == "plain"][: settings.generation_eval_samples]
        if settings.generation_eval_steps is None or not plain:
            return None
        limit = settings.generation_eval_max_new_tokens
        return AnswerCheck(student, plain, settings.generation_eval_steps, settings.max_steps, limit)

    def __call__(self, model: Any, step: int) -> dict[str, float]:
        """Rates over the rows, or nothing when it is not time."""
        if step % self.every and step != self.last:
            return {}
        answers = generate(self.student, self.prompts, max_new_tokens=self.limit)
        scores = [
            self._scorer(row).score_text(answer.text, row.ast_json)
            for row, answer in zip(chain.from_iterable(self._asked.values()), answers, strict=True)
        ]
        return {
            "eval_answers": len(scores),
            "eval_parsed_rate": sum(score.ast is not None for score in scores) / len(scores),
            "eval_schema_valid_rate": sum(score.ast is not None and not score.schema_errors for score in scores)
            / len(scores),
            "eval_semantic_pass_rate": sum(score.equivalent for score in scores) / len(scores),
        }

    def _scorer(self, row: CorpusRow) -> Scorer:
        if row.schema_id not in self._scorers:
            self._scorers[row.schema_id] = Scorer(row.schema_json)
        return self._scorers[row.schema_id]
