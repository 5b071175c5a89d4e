"""Answers of a vision student, by transformers' own generate: greedy or sampled, rows of a batch padded on the left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from astudent.student.chat_rows import ChatRow
from astudent.student.vision import VisionStudent, turns_with_images
from astudent.student.vision_collator import prompt_inputs


@dataclass(frozen=True)
class VisionAnswer:
    """One answer. Lengths in tokens, `seconds` the row's share of its batch's time."""

    prompt_text: str
    text: str
    prompt_tokens: int
    tokens: int
    truncated: bool
    seconds: float


@dataclass(frozen=True)
class Drawing:
    """How answers are drawn: greedy at temperature 0; with `blank` every image is white paper."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    blank: bool = False


@torch.no_grad()
def answer_rows(
    student: VisionStudent, rows: Sequence[ChatRow], drawing: Drawing, batch_size: int
) -> Iterator[VisionAnswer]:
    """One answer for each row, in order; the model is left in the mode in which it was."""
    was_training = student.model.training
    student.model.eval()
    torch.manual_seed(drawing.seed)
    try:
        for start in range(0, len(rows), batch_size):
            yield from _answer_batch(student, rows[start : start + batch_size], drawing)
    finally:
        student.model.train(was_training)


def _answer_batch(student: VisionStudent, rows: Sequence[ChatRow], drawing: Drawing) -> Iterator[VisionAnswer]:
    started = time.monotonic()
    prompts = [turns_with_images(row, blank=drawing.blank) for row in rows]
    given = prompt_inputs(student.processor, prompts, padding=True, padding_side="left").to(student.device)
    tokenizer = student.tokenizer
    end = tokenizer.convert_tokens_to_ids(student.end)
    sampling = {"do_sample": True, "temperature": drawing.temperature, "top_p": drawing.top_p}
    found = student.model.generate(
        **given,
        max_new_tokens=drawing.max_new_tokens,
        eos_token_id=end,
        pad_token_id=student.pad_id,
        **(sampling if drawing.temperature > 0 else {"do_sample": False}),
    )
    seconds = (time.monotonic() - started) / len(rows)
    width = given["input_ids"].shape[1]
    for place, ids in enumerate(found[:, width:].tolist()):
        kept = ids[: ids.index(end)] if end in ids else ids
        asked = given["input_ids"][place][given["attention_mask"][place].bool()]
        yield VisionAnswer(
            prompt_text=str(tokenizer.decode(asked)),
            text=str(tokenizer.decode(kept)),
            prompt_tokens=len(asked),
            tokens=len(kept) + (end in ids),
            truncated=end not in ids,
            seconds=seconds,
        )
