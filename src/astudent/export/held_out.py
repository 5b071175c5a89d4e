"""The prompts that an export is verified with: held-out requests, and those that break tokenizers and windows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random

from astudent.evaluation.samples import choose_samples
from astudent.jsonl import read_rows
from astudent.prompt import build_prompt, neutralise
from astudent.records import DatasetRow
from astudent.settings import Config

SPLIT = "test_unseen"
LONG = 3000
"""Tokens of the longest prompts."""
TAILS = {
    "accents": "à l’œuvre, là où Zoë fêta « l’été » ça et là, naïve ÉÀÇ",
    "emoji": "👩‍👧 🏳️‍🌈 ✅ 日本語 — ½",
    "quotes": '"he said \'it is \\"so\\"\'", {"a": ["b\\n"]}',
    "spaces": "two  spaces,   three,\ta tab\n\nand two lines",
}
EVERY = 5
"""One prompt in so many has a tail."""


@dataclass(frozen=True)
class Prompt:
    """What a user sends. `kind` says what is hard about it."""

    kind: str
    content: str


def held_out(
    config: Config, count: int, window: int | None, most_tokens: int, length: Callable[[str], int]
) -> list[Prompt]:
    """`count` prompts of at most `most_tokens`: a single token, up to 3,000 of them, one beyond the `window` (positions); the rest
    are requests of `test_unseen`, every fifth with a tail of accents, emoji, quotes or blanks. Without a data set they are made up.

    `length` counts the tokens of a prompt as it is rendered.
    """
    requests = _requests(config, count)
    found = [Prompt("one token", "a"), Prompt("long", _grown(requests, min(LONG, most_tokens), length))]
    if window is not None and window < most_tokens:
        found.append(Prompt("beyond the window", _grown(requests, min(2 * window, most_tokens), length)))
    for place, request in enumerate(requests[: max(0, count - len(found))]):
        kind = list(TAILS)[place // EVERY % len(TAILS)] if place % EVERY == EVERY - 1 else "request"
        found.append(Prompt(kind, f"{request} {TAILS[kind]}" if kind in TAILS else request))
    return [prompt for prompt in found if length(prompt.content) <= most_tokens][:count]


def _requests(config: Config, count: int) -> list[str]:
    dataset = Path(config.evaluation.dataset)
    if not dataset.exists():
        return list(_made_up(config, count))
    chosen = choose_samples(read_rows(dataset, DatasetRow), [SPLIT], count, include_invalid=False)
    return [build_prompt(sample.row.schema_json, sample.row.query, config.prompt) for sample in chosen]


def _made_up(config: Config, count: int) -> Iterator[str]:
    """Requests over small schemas of made-up words."""
    rng = Random("held out")
    for _ in range(count):
        words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyzéèç", k=rng.randint(2, 9))) for _ in range(6)]
        schema = {"type": "object", "properties": {word: {"enum": [word[::-1], "on"]} for word in words}}
        yield build_prompt(schema, neutralise(f"{words[0]}, {words[3][::-1]} et {rng.randint(0, 9999)}"), config.prompt)


def _grown(requests: list[str], tokens: int, length: Callable[[str], int]) -> str:
    """Requests, one below the other, of nearly so many tokens; the first is cut where it alone is longer."""
    text = ""
    for request in cycle(requests):
        longer = f"{text}\n{request}".strip()
        if length(longer) > tokens:
            return text or _cut(request, tokens, length)
        text = longer
    return text


def _cut(text: str, tokens: int, length: Callable[[str], int]) -> str:
    while length(text) > tokens and len(text) > 1:
        text = text[: len(text) * 9 // 10]
    return text
