"""Chat rows -> a padded batch with pixels: Unsloth's collator on a GPU, and its stand-in elsewhere.

Both are called with `{"prompt": turns with their images, "completion": text}` and give `input_ids`, `attention_mask`,
`labels` (-100 but on the completion) and what the processor makes of the images. The selective losses work around either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from astudent.student.selective_collator import IGNORED

BY_TOKEN = ("input_ids", "attention_mask", "labels", "token_type_ids", "mm_token_type_ids")
"""Keys of one number a token, which are padded; all others hold images, one after another."""
Example = Mapping[str, Any]
Collator = Callable[[Sequence[Example]], Any]


class VisionDataCollator:
    """Stands in for `UnslothVisionDataCollator`, which needs CUDA: the same signature as far as it is used, the same
    batch. Prompt and completion are tokenised apart and joined; images keep their size (`resize="max"`)."""

    def __init__(self, model: Any, processor: Any, max_seq_length: None = None, *, resize: str = "max") -> None:
        self.processor, self.pad_id = processor, processor.tokenizer.pad_token_id

    def __call__(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """The batch, padded on the right."""
        rows = [self._row(example) for example in examples]
        longest = max(len(row["input_ids"]) for row in rows)
        batch: dict[str, Tensor] = {}
        for key in dict.fromkeys(key for row in rows for key in row):
            values = [row[key] for row in rows if key in row]
            fill = {"labels": IGNORED, "input_ids": self.pad_id}.get(key, 0)
            batch[key] = (
                torch.stack([_padded(v, longest, fill) for v in values]) if key in BY_TOKEN else torch.cat(values)
            )
        return batch

    def _row(self, example: Example) -> dict[str, Tensor]:
        """One row: tokens as (L,), images as the processor gives them."""
        prompt = dict(prompt_inputs(self.processor, [example["prompt"]]))
        ids = self.processor.tokenizer(example["completion"], add_special_tokens=False, return_tensors="pt")[
            "input_ids"
        ][0]
        row = {key: value for key, value in prompt.items() if key not in BY_TOKEN}
        asked = prompt["input_ids"][0]
        row |= {"input_ids": torch.cat([asked, ids]), "labels": torch.cat([torch.full_like(asked, IGNORED), ids])}
        row["attention_mask"] = torch.ones_like(row["input_ids"])
        for key in ("token_type_ids", "mm_token_type_ids"):
            if key in prompt:
                row[key] = torch.cat([prompt[key][0], torch.zeros_like(ids)])
        return row


def prompt_inputs(processor: Any, prompts: Sequence[Sequence[Mapping[str, Any]]], **padding: Any) -> Any:
    """The processor's inputs for turns whose images stand in them as {"type": "image", "image": image}."""
    texts = [
        processor.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=True) for turns in prompts
    ]
    images = [
        [part["image"] for turn in turns for part in turn["content"] if part["type"] == "image"] for turns in prompts
    ]
    given = {"images": images} if any(images) else {}
    return processor(text=texts, add_special_tokens=False, return_tensors="pt", **given, **padding)


def _padded(values: Tensor, length: int, fill: int) -> Tensor:
    return torch.nn.functional.pad(values, (0, length - len(values)), value=fill)


def inner_collator(model: Any, processor: Any, backend: str) -> Collator:
    """The collator of the backend that trains."""
    if backend == "unsloth":
        from unsloth.trainer import UnslothVisionDataCollator  # pyright: ignore[reportMissingImports]

        return UnslothVisionDataCollator(model, processor, resize="max")
    return VisionDataCollator(model, processor, resize="max")
