"""Answers of a vision student, by transformers' own generate: greedy or sampled, rows of a batch padded on the left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from astudent.generation import Generation, requests_at_once
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


@torch.no_grad()
def answer_rows(
    student: VisionStudent, rows: Sequence[ChatRow], how: Generation, batch_size: int, *, blank: bool = False
) -> Iterator[VisionAnswer]:
    """One answer for each row, in order; with `blank` every image is white paper. The model is left in the mode in which it
    was."""
    was_training = student.model.training
    student.model.eval()
    torch.manual_seed(how.seed)
    try:
        most = requests_at_once(batch_size, how)
        for start in range(0, len(rows), most):
            yield from _answer_batch(student, rows[start : start + most], how, blank)
    finally:
        student.model.train(was_training)


def _answer_batch(
    student: VisionStudent, rows: Sequence[ChatRow], how: Generation, blank: bool
) -> Iterator[VisionAnswer]:
    started = time.monotonic()
    prompts = [turns_with_images(row, blank=blank) for row in rows]
    given = prompt_inputs(student.processor, prompts, padding=True, padding_side="left").to(student.device)
    tokenizer = student.tokenizer
    end = tokenizer.convert_tokens_to_ids(student.end)
    sampled = {"do_sample": True, "temperature": how.temperature, "top_p": how.top_p}
    searched = {"do_sample": False, "num_beams": how.beams, "length_penalty": 0.0}
    found = student.model.generate(
        **given,
        max_new_tokens=how.max_new_tokens,
        eos_token_id=end,
        pad_token_id=student.pad_id,
        **(sampled if how.temperature > 0 else searched if how.beams > 1 else {"do_sample": False}),
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
