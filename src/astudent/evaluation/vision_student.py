"""Chat rows with images as an evaluation's samples, and the vision student that answers them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astudent.errors import UsageError
from astudent.evaluation.answers import Answer
from astudent.evaluation.results import Decoding
from astudent.evaluation.samples import Sample
from astudent.generation import generation_of
from astudent.language.serialise import parse_ast
from astudent.records import DatasetRow, MadeBy
from astudent.settings import Config
from astudent.student.chat_rows import ChatRow, read_chat_rows

if TYPE_CHECKING:
    from astudent.student.vision import VisionStudent


def dataset_rows(path: Path) -> Iterator[DatasetRow]:
    """The rows of a chat file as rows of split `test_seen`; the request is the last turn's words."""
    made_by = MadeBy(provider="chat rows", model=path.name)
    for row in read_chat_rows(path):
        yield DatasetRow(
            query_id=row.row_id,
            schema_id=row.schema_id,
            domain_id=row.schema_id,
            language=row.language,
            schema_json=row.schema_json,
            query=row.request,
            ast_json=parse_ast(row.answer)[0] or {},
            is_valid=True,
            split="test_seen",
            names="seen",
            source="generated",
            made_by=made_by,
        )


def load_answering(
    config: Config, adapter: str | None, decoding: Decoding
) -> tuple["VisionStudent", "AnsweringVisionStudent"]:
    """The base with an adapter (or None) on top, and what answers by it. UsageError for constrained decoding."""
    from astudent.student.vision import load_vision_student

    if decoding == "constrained":
        raise UsageError(
            "constrained: answers to images are decoded freely only", "Set evaluation.constrained to false."
        )
    loaded = load_vision_student(config.training, adapter)
    rows = {row.row_id: row for row in read_chat_rows(Path(config.evaluation.dataset))}
    return loaded, AnsweringVisionStudent(loaded, config, rows)


class AnsweringVisionStudent:
    """Answers rows with their images, or with white paper in their place."""

    def __init__(self, loaded: "VisionStudent", config: Config, rows: dict[str, ChatRow]) -> None:
        self._loaded, self._config, self._rows = loaded, config, rows

    def answer(self, samples: Sequence[Sample]) -> Iterator[Answer]:
        """One answer for each sample."""
        from astudent.student.vision_answers import answer_rows

        asked = self._config.evaluation
        rows = [self._rows[sample.query_id] for sample in samples]
        for a in answer_rows(self._loaded, rows, generation_of(asked), asked.batch_size, blank=asked.blank_images):
            finish = "length" if a.truncated else "stop"
            yield Answer(a.prompt_text, a.text, a.prompt_tokens, a.tokens, finish, a.seconds)

    def facts(self) -> dict[str, Any]:
        """Whether the images were seen."""
        return {"blank_images": self._config.evaluation.blank_images}
