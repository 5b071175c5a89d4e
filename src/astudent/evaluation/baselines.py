"""The cheap baselines over the same samples and with the same metrics as a student; no teacher judges them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from astudent.evaluation.judging import Scorers, execution_judge, result_row
from astudent.evaluation.metrics import Score
from astudent.evaluation.nearest import KnownAnswer, NearestNeighbour
from astudent.evaluation.results import AnswerRow, ResultRow
from astudent.evaluation.samples import Sample
from astudent.evaluation.word_copying import copy_words
from astudent.jsonl import write_atomic
from astudent.language.vocabulary import is_query_language, read_vocabulary
from astudent.records import DatasetRow
from astudent.settings import Config
from astudent.tasks.registry import has_task

Ast = dict[str, Any]
Answerer = Callable[[Sample], Ast | None]

NAMES = ("nearest_neighbour", "word_copying")


def baselines_of(config: Config) -> tuple[str, ...]:
    """The names of those that can answer: words are copied into ASTs of the query language only."""
    return NAMES[:1] if has_task(config) else NAMES


def write_baselines(
    rows: Iterable[DatasetRow], samples: Sequence[Sample], folder: Path, names: Sequence[str] = NAMES
) -> None:
    """Answers all plain samples by the named baselines; one result file each in `folder`.

    Words are copied for samples whose schema is a query language's; of imported rows the file may be empty.
    """
    known = [KnownAnswer(r.schema_id, r.query, r.ast_json) for r in rows if r.split == "train" and r.is_valid]
    nearest = NearestNeighbour(known)
    answerers: dict[str, Answerer] = {
        "nearest_neighbour": lambda sample: nearest.answer(sample.row.query, sample.row.schema_id),
        "word_copying": lambda sample: copy_words(sample.row.query, read_vocabulary(sample.row.schema_json)),
    }
    able = {"nearest_neighbour": samples, "word_copying": [s for s in samples if is_query_language(s.row.schema_json)]}
    for name in names:
        write_atomic(baseline_path(folder, name), baseline_rows(able[name], answerers[name]))


def baseline_path(folder: Path, name: str) -> Path:
    """Where a baseline's result rows stand."""
    return folder / f"baseline_{name}.jsonl"


def baseline_rows(samples: Iterable[Sample], answerer: Answerer) -> Iterable[ResultRow]:
    """Result rows of a baseline; verdicts are execution's; tokens and times are not measured (0)."""
    scorers = Scorers()
    for sample in samples:
        if sample.kind != "plain":
            continue
        scorer, known = scorers.of(sample), sample.row.ast_json
        ast = answerer(sample)
        score = scorer.score(ast, known) if ast is not None else scorer.unparsed("no answer", known)
        judgement = execution_judge(sample, score)
        yield result_row(sample, _answer_row(sample, score), score, judgement, "free", scorer)


def _answer_row(sample: Sample, score: Score) -> AnswerRow:
    return AnswerRow(
        query_id=sample.query_id,
        kind="plain",
        prompt_text="",
        text=score.canonical or "",
        prompt_tokens=0,
        completion_tokens=0,
        finish="stop",
        latency_seconds=0.0,
    )
