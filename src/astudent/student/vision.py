"""The vision student: a vision-language model with its processor, and the batches that it learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from astudent.student import load  # first: on a GPU it imports unsloth, which patches what follows

# isort: split

from transformers import AutoModelForImageTextToText, AutoProcessor

from astudent.errors import RunError, UsageError
from astudent.roles.selective import TokenWeights
from astudent.settings import Learning
from astudent.student import processes
from astudent.student.batching import TokenBatch, Unit
from astudent.student.chat_rows import ChatRow
from astudent.student.checkpoint import check_adapter
from astudent.student.load import Student, assemble
from astudent.student.selective_collator import SelectiveLossCollator
from astudent.student.vision_collator import inner_collator


@dataclass
class VisionStudent(Student):
    """A student that reads images. `end` is the text that ends an answer."""

    processor: Any
    end: str

    def save_texts(self, folder: Path) -> None:
        self.processor.save_pretrained(str(folder))


def load_vision_student(
    settings: Learning, adapter: str | Path | None = None, *, trainable: bool = False
) -> VisionStudent:
    """Processor and base, with an adapter on top where one is named. UsageError as `load_student`, and for a base that
    reads no images."""
    load.refuse_impossible(settings)
    processes.join()
    backend = load.resolve_backend(settings.backend)
    if adapter is not None:
        check_adapter(adapter)
    processor = load.from_hub(AutoProcessor, settings.base_model, settings.base_revision)
    if getattr(processor, "image_processor", None) is None:
        raise UsageError(f"{settings.base_model} reads no images", "Name a vision-language base, or modality text.")
    kind = AutoModelForImageTextToText
    model = load.load_unsloth(settings) if backend == "unsloth" else load.load_transformers(settings, kind)
    whole = assemble(
        model, processor.tokenizer, adapter, backend=backend, base_model=settings.base_model, trainable=trainable
    )
    processor.tokenizer.padding_side = "right"
    return VisionStudent(**vars(whole), processor=processor, end=end_of_answer(processor))


def end_of_answer(processor: Any) -> str:
    """What the template writes right after an answer: the mark of the end of turn. UsageError where it writes none."""
    user = {"role": "user", "content": [{"type": "text", "text": "?"}]}
    answer = {"role": "assistant", "content": [{"type": "text", "text": "@@answer@@"}]}
    if processor.chat_template is None:
        raise UsageError("the base's processor has no chat template", "Take an instruction-tuned base.")
    tail = processor.apply_chat_template([user, answer], tokenize=False).rpartition("@@answer@@")[2]
    ids = processor.tokenizer(tail, add_special_tokens=False)["input_ids"]
    return processor.tokenizer.decode(ids[:1]) if ids else processor.tokenizer.eos_token


class VisionBatcher:
    """Cuts chat rows into padded batches of at most `rows` of them. The batches are made when they are asked for, since
    the pixels of many would fill the memory."""

    def __init__(self, student: VisionStudent, weights: TokenWeights, rows: int, max_length: int | None) -> None:
        self._end, self._rows, self._longest = student.end, rows, max_length
        inner = inner_collator(student.model, student.processor, student.backend)
        self._collate = SelectiveLossCollator(
            lambda rows: inner([self._example(row["row"]) for row in rows]),
            student.tokenizer,
            weights,
            lambda row: row["row"].schema_json,
            keeps_roles=True,
        )

    def micro_batches(self, units: Sequence[Unit]) -> tuple[Sequence[TokenBatch], list[int]]:
        """As `Batcher.micro_batches`, for units of one `ChatRow` each."""
        parts = [units[start : start + self._rows] for start in range(0, len(units), self._rows)]
        return _Made(self, parts), list(range(len(units)))

    def batch(self, rows: Sequence[ChatRow]) -> TokenBatch:
        """One batch. RunError names a row that is too long."""
        made = self._collate([{"row": row} for row in rows])
        for row, length in zip(rows, made["attention_mask"].sum(1).tolist(), strict=True):
            if self._longest is not None and length > self._longest:
                what = f"row {row.row_id} has {length} tokens, more than {self._longest}"
                raise RunError(what, "Raise max_seq_length, make its images smaller, or leave the row out.")
        return as_token_batch(made)

    def _example(self, row: ChatRow) -> dict[str, Any]:
        return {"prompt": turns_with_images(row), "completion": row.answer + self._end}


class _Made(Sequence[TokenBatch]):
    """Batches that are made anew each time they are read."""

    def __init__(self, batcher: VisionBatcher, parts: Sequence[Sequence[Unit]]) -> None:
        self._batcher, self._parts = batcher, parts

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, index: Any) -> Any:
        return self._batcher.batch([unit[0] for unit in self._parts[index]])

    def __iter__(self) -> Iterator[TokenBatch]:
        return (self[index] for index in range(len(self)))


def turns_with_images(row: ChatRow, *, blank: bool = False) -> list[dict[str, Any]]:
    """The row's turns with its images in their places; with `blank` each is white paper of the same size."""
    images = iter(row.opened())

    def part(given: Mapping[str, Any]) -> dict[str, Any]:
        if given["type"] != "image":
            return dict(given)
        image = next(images)
        return {"type": "image", "image": white(image) if blank else image}

    return [{"role": turn["role"], "content": [part(given) for given in turn["content"]]} for turn in row.prompt]


def white(image: Any) -> Any:
    """White paper of an image's size."""
    from PIL import Image

    return Image.new("RGB", image.size, "white")


def as_token_batch(made: Mapping[str, Any]) -> TokenBatch:
    """A collated batch (B, L) with `role_ids` and `loss_weights` as a TokenBatch; what is left goes to the model as it is."""
    rest = dict(made)
    ids, mask, roles, weights = (rest.pop(key) for key in ("input_ids", "attention_mask", "role_ids", "loss_weights"))
    rest.pop("labels")
    at = (roles >= 0).flatten().nonzero()[:, 0]
    return TokenBatch(
        input_ids=ids,
        position_ids=None,
        attention_mask=mask,
        layout=None,
        predict_at=at - 1,
        targets=ids.flatten()[at],
        roles=roles.flatten()[at].long(),
        weights=weights.flatten()[at],
        rows=at // ids.shape[1],
        is_repair=torch.zeros(len(ids), dtype=torch.bool),
        images={key: value for key, value in rest.items() if isinstance(value, Tensor)},
    )
