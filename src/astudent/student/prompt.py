"""Rendering: the prompt's content inside the base model's own chat template, and what ends an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from transformers import PreTrainedTokenizerBase

from astudent.errors import UsageError
from astudent.prompt import CONTROL_TOKEN

PLAIN_TEMPLATE = (
    "{{ bos_token if bos_token else '' }}{% for message in messages %}{% if message.role == 'user' %}"
    "### Request\n{{ message.content | trim }}\n\n### Answer\n"
    "{% else %}{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
"""The template named `plain`, for bases that bring none."""

_SENTINEL = "@@content@@"
_FORMATS: WeakKeyDictionary[PreTrainedTokenizerBase, ChatFormat] = WeakKeyDictionary()


@dataclass(frozen=True)
class ChatFormat:
    """What a template puts around a prompt. `end_of_turn` is the token that a completion ends with."""

    before: str
    after: str
    end_of_turn: int
    stop_ids: tuple[int, ...]


def chat_format(tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    """The tokenizer's chat format. UsageError when its template does not hold the prompt as it is."""
    if tokenizer not in _FORMATS:
        _FORMATS[tokenizer] = _read_format(tokenizer)
    return _FORMATS[tokenizer]


def render(tokenizer: PreTrainedTokenizerBase, content: str) -> str:
    """`prompt_text`: the content as the user's turn, up to where the answer starts."""
    form = chat_format(tokenizer)
    text = content.strip()
    for token in set(tokenizer.all_special_tokens):
        if token in text:  # a base's own control token that astudent.prompt does not know
            text = text.replace(token, token[0] + "\u200b" + token[1:])
    return form.before + text + form.after


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt_text: str) -> list[int]:
    """Token ids of a rendered prompt; the template has put the BOS in, so none is added."""
    return tokenizer(prompt_text, add_special_tokens=False)["input_ids"]  # pyright: ignore[reportReturnType]


def _read_format(tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    user = {"role": "user", "content": _SENTINEL}
    rendered = _apply(tokenizer, [user], prompt=True)
    before, found, after = rendered.partition(_SENTINEL)
    if not found or _SENTINEL in after:
        name = tokenizer.name_or_path
        raise UsageError(f"{name}: its chat template does not hold the prompt once", "Take a base of another family.")
    end = _end_of_turn(tokenizer, user)
    eos: Any = tokenizer.eos_token_id
    return ChatFormat(before, after, end, tuple(sorted({end} if eos is None else {end, int(eos)})))


def _end_of_turn(tokenizer: PreTrainedTokenizerBase, user: dict[str, str]) -> int:
    """First token after the assistant's words, or the end of text where the template puts none."""
    answer = {"role": "assistant", "content": "@@answer@@"}
    tail = _apply(tokenizer, [user, answer], prompt=False).rpartition("@@answer@@")[2]
    ids: list[int] = tokenizer(tail, add_special_tokens=False)["input_ids"] if tail else []  # pyright: ignore
    if ids and _is_control(tokenizer, ids[0]):
        return ids[0]
    if tokenizer.eos_token_id is None:
        raise UsageError(f"{tokenizer.name_or_path}: the tokenizer has no end token", "Take another base.")
    return int(tokenizer.eos_token_id)  # pyright: ignore[reportArgumentType]


def _is_control(tokenizer: PreTrainedTokenizerBase, token: int) -> bool:
    """Whether a token is one of a template's own marks: declared special, added, or named like one."""
    if token in tokenizer.all_special_ids or token in tokenizer.added_tokens_decoder:
        return True
    return CONTROL_TOKEN.fullmatch(str(tokenizer.convert_ids_to_tokens(token))) is not None


def _apply(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], prompt: bool) -> str:
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
    return str(text)
