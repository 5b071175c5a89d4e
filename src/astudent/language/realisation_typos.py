"""Typing mistakes on demand, never inside a span that the reader must copy."""

import re
from random import Random

from astudent.language.realisation_grammar import CLOSE, OPEN

_SPAN_OR_WORD = re.compile(f"{OPEN}[^{CLOSE}]*{CLOSE}|[^\\W\\d_]{{5,}}")
# One slip in these would change the meaning or is itself a word.
_SPARED = frozenset({"three", "seven", "eight", "trois", "quatre", "moins", "aucune", "either", "neither", "except"})


def add_typos(text: str, rate: float, rng: Random) -> str:
    """Misspells about `rate` (0 to 1) of the free words of five letters and more; one at least when `rate` is not 0."""
    words = [match for match in _SPAN_OR_WORD.finditer(text) if not _spared(match.group())]
    if rate <= 0 or not words:
        return text
    chosen = [word for word in words if rng.random() < rate] or [rng.choice(words)]
    for word in reversed(chosen):  # from the end, so that the earlier places stay right
        text = text[: word.start()] + _slip(word.group(), rng) + text[word.end() :]
    return text


def _spared(word: str) -> bool:
    return word.startswith(OPEN) or word.casefold() in _SPARED


def _slip(word: str, rng: Random) -> str:
    """Two inner letters swapped, or one doubled; the first and last letters stay."""
    at = rng.randrange(1, len(word) - 2)
    if rng.random() < 0.6 and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[: at + 1] + word[at:]
