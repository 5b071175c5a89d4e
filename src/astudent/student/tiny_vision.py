"""A tiny vision-language base of Qwen2.5-VL's shape with random weights, and the processor that belongs to it.

It knows nothing, but what it is trained on it can learn on a CPU in minutes: an image token sees a card of a form (4 x 4
patches), the embeddings are wide enough for tied, frozen logits to move, and all other weights keep the scale of what
passes through them (1 / sqrt(fan in)); with transformers' own 0.02 everywhere nothing is learned.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
)
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

from astudent.tasks.forms import chat_rows

HIDDEN, LAYERS, HEAD = 128, 3, 32
VISION_HIDDEN, VISION_LAYERS, VISION_HEAD = 64, 2, 16
PATCH, MERGE = 14, 4
EMBEDDING_STD = 0.3
CONTROL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_tiny_vision_base(folder: Path, seed: int = 0) -> None:
    """Writes model, tokenizer and processor to `folder`; the tokenizer's words are those of the project's forms."""
    tokenizer = _tokenizer()
    shape: dict[str, Any] = {"patch_size": PATCH, "merge_size": MERGE}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shape, min_pixels=1, max_pixels=10**6),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**shape),
        chat_template=TEMPLATE,
    )
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(_config(tokenizer))
    for name, weights in model.named_parameters():
        if weights.dim() >= 2:
            std = EMBEDDING_STD if "embed_tokens" in name else 1 / math.sqrt(weights[0].numel())
            torch.nn.init.normal_(weights, std=std)
    model.save_pretrained(str(folder))
    processor.save_pretrained(str(folder))


def _tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE in which each word of the forms is a piece, with JSON's signs apart."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    inner.decoder = decoders.ByteLevel()
    texts = [
        text
        for row in chat_rows(40, 0, "tokenizer")
        for text in (row["messages"][1]["content"][0]["text"], row["messages"][2]["content"])
    ]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False)
    )
    inner.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in CONTROL])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE
    )


def _config(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLConfig:
    ids = {name: int(tokenizer.convert_tokens_to_ids(name)) for name in CONTROL}  # pyright: ignore[reportArgumentType]
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": HIDDEN,
            "intermediate_size": 2 * HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HIDDEN // HEAD,
            "num_key_value_heads": HIDDEN // HEAD,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0, "mrope_section": [4, 6, 6]},
            "tie_word_embeddings": True,
            "bos_token_id": None,
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={
            "depth": VISION_LAYERS,
            "hidden_size": VISION_HIDDEN,
            "intermediate_size": 2 * VISION_HIDDEN,
            "num_heads": VISION_HIDDEN // VISION_HEAD,
            "out_hidden_size": HIDDEN,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "window_size": 4 * PATCH * MERGE,
            "fullatt_block_indexes": [VISION_LAYERS - 1],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
