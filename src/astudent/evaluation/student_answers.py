"""The trained student behind the protocol of phase one: prompts rendered, generated and freed again."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from astudent.evaluation.answers import Answer, Student
from astudent.evaluation.results import Decoding
from astudent.evaluation.samples import Sample
from astudent.language.serialise import serialise
from astudent.prompt import build_prompt
from astudent.settings import Config
from astudent.settings import Prompt as PromptSettings

if TYPE_CHECKING:
    from astudent.student.load import Student as LoadedStudent

BASE = "none"  # the adapter's name that means the base model alone


@contextmanager
def make_student(config: Config, adapter: str, decoding: Decoding) -> Iterator[Student]:
    """The base model with `adapter` (or `none`) on top; its memory is given back on leaving.

    UsageError or RunError when it cannot be loaded.
    """
    from astudent.student.load import load_student

    student = load_student(config.training, None if adapter == BASE else adapter)
    try:
        yield GeneratingStudent(student, config, decoding)
    finally:
        student.model = None
        _free()


class GeneratingStudent:
    """Answers batches of one schema, free or under the schema's grammar."""

    def __init__(self, student: "LoadedStudent", config: Config, decoding: Decoding) -> None:
        self._student = student
        self._config = config
        self._decoding = decoding

    def answer(self, batch: Sequence[Sample]) -> list[Answer]:
        """One answer for each sample; the batch's time is shared out evenly."""
        raise RuntimeError(batch)


def content_of(sample: Sample, prompt: PromptSettings) -> str:
    """The prompt's content, in the same words as in the training corpus."""
    row, repair = sample.row, None
    if sample.broken_ast is not None:
        repair = (serialise(sample.broken_ast, row.schema_json), sample.message or "")
    return build_prompt(row.schema_json, row.query, prompt, repair)


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


_: Any = None
