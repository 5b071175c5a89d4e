"""Token ids -> the text that they spell and the characters of it that each token covers.

For those who have ids alone, as a collator around another one has. A tokenizer gives offsets for a text, not for ids;
so the text is tokenised again, and where that gives other ids (a text that was tokenised as part of a longer one), the
offsets come from decoding one token more at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

Span = tuple[int, int]


def text_and_offsets(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> tuple[str, list[Span]]:
    """The text and, for each id, (start, end) in characters of it. Bytes of one character all cover that character."""
    text = _decode(tokenizer, ids)
    if tokenizer.is_fast:
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        if list(encoded["input_ids"]) == list(ids):  # pyright: ignore[reportArgumentType]
            return text, [tuple(span) for span in encoded["offset_mapping"]]  # pyright: ignore
    return text, _by_decoding(tokenizer, ids, text)


def _by_decoding(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], text: str) -> list[Span]:
    spans, start = [], 0
    for count in range(1, len(ids) + 1):
        decoded = _decode(tokenizer, ids[:count])
        end = _agreement(decoded, text, start)  # an unfinished character decodes to a replacement mark
        is_part = end < len(decoded) and end < len(text)
        spans.append((start, max(start, end + is_part)))
        start = max(start, end)
    return spans


def _agreement(one: str, other: str, start: int) -> int:
    """The first place, from `start` on, at which the two differ or one of them ends."""
    shorter = min(len(one), len(other))
    return next((place for place in range(start, shorter) if one[place] != other[place]), shorter)


def _decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    text = tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    assert isinstance(text, str)
    return text
