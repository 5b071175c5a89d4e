"""The prompts that an export is verified with: held-out requests, and those that break tokenizers and windows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path
from random import Random

from astudent.evaluation.metrics import Scorer
from astudent.evaluation.samples import choose_samples
from astudent.jsonl import read_rows
from astudent.prompt import build_prompt, neutralise
from astudent.records import DatasetRow
from astudent.settings import Config

LONG = 3000
"""Tokens of the longest prompts."""
TAILS = {
    "accents": "à l’œuvre, là où Zoë fêta « l’été » ça et là, naïve ÉÀÇ",
    "emoji": "👩‍👧 🏳️‍🌈 ✅ 日本語 — ½",
    "quotes": '"he said \'it is \\"so\\"\'", {"a": ["b\\n"]}',
    "spaces": "two  spaces,   three,\ta tab\n\nand two lines",
    "decomposed": "e\u0301te\u0301, l\u2019a\u0302me, c\u0327a et la\u0300",
}
EVERY = 5
"""One prompt in so many has a tail."""


@dataclass(frozen=True)
class Prompt:
    """What a user sends. `kind` says what is hard about it; a plain request of the data set has its `row`."""

    kind: str
    content: str
    row: DatasetRow | None = None

    def judge(self, answer: str) -> bool | None:
        """Whether an answer means what the row's AST means; None where nobody knows."""
        if self.row is None:
            return None
        return Scorer(self.row.schema_json).score_text(answer, self.row.ast_json).equivalent


@dataclass(frozen=True)
class HeldOut:
    """The prompts; `too_long` requests had no room, of `requests` in the data set (None: made up)."""

    prompts: list[Prompt]
    too_long: int
    requests: int | None

    def shortage(self, count: int) -> str | None:
        """Why there are fewer than asked for, where the data set has enough."""
        few = len(self.prompts) < count and self.too_long
        return f"{len(self.prompts)} of {count} prompts fit into the context" if few else None

    def remarks(self, count: int) -> list[str]:
        """What is to be said of the prompts."""
        if self.requests is None:
            return ["the configuration's data set is not there, so the requests are made up"]
        few = len(self.prompts) < count and not self.too_long
        return (
            [f"the data set has only {self.requests} requests: {len(self.prompts)} prompts of {count}"] if few else []
        )


def held_out(
    config: Config,
    count: int,
    window: int | None,
    most_tokens: int,
    length: Callable[[str], int],
    kinds: Sequence[str] = tuple(TAILS),
) -> HeldOut:
    """`count` prompts of at most `most_tokens`: a single token, up to 3,000 of them, one beyond the `window` (positions); the rest
    are requests of the evaluation's splits, every fifth with a tail of one of the `kinds`. Without a data set they are made up.

    `length` counts the tokens of a prompt as it is rendered.
    """
    requests, known = _requests(config, count)
    first = list(islice(requests, count))  # the others only where some of these have no room
    texts = [prompt.content for prompt in first]
    found = [Prompt("one token", "a"), Prompt("long", _grown(texts, min(LONG, most_tokens), length))]
    if window is not None and window < most_tokens:
        found.append(Prompt("beyond the window", _grown(texts, min(2 * window, most_tokens), length)))
    special, too_long = len(found), 0
    for request in chain(first, requests):
        if len(found) >= count:
            break
        prompt = _with_tail(request, len(found) - special, kinds)
        if length(prompt.content) <= most_tokens:
            found.append(prompt)
        else:
            too_long += 1
    return HeldOut(found[:count], too_long, known)


def _with_tail(request: Prompt, place: int, kinds: Sequence[str]) -> Prompt:
    if place % EVERY != EVERY - 1:
        return request
    kind = kinds[place // EVERY % len(kinds)]
    return Prompt(kind, f"{request.content} {TAILS[kind]}")


def _requests(config: Config, count: int) -> tuple[Iterator[Prompt], int | None]:
    """All of the evaluation's splits, one of each in turn, and how many the data set has; without one `count` that are made up."""
    dataset, splits = Path(config.evaluation.dataset), config.evaluation.splits
    if not dataset.exists():
        return (Prompt("request", text) for text in _made_up(config, count)), None
    chosen = choose_samples(read_rows(dataset, DatasetRow), splits, None, include_invalid=False)
    of_split = [[sample.row for sample in chosen if sample.row.split == split] for split in splits]
    rows = [row for turn in zip_longest(*of_split) for row in turn if row is not None]
    built = (Prompt("request", build_prompt(row.schema_json, row.query, config.prompt), row) for row in rows)
    return built, len(rows)


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
