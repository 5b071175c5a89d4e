"""How a text is typed: carefully typeset, carelessly in small letters, or with many slips. Copied spans stay as they are."""

import re
import unicodedata
from collections.abc import Callable
from random import Random

from astudent.language.realisation_grammar import CLOSE, OPEN
from astudent.language.realisation_typos import add_typos
from astudent.records import Language

_SPAN = re.compile(f"({OPEN}[^{CLOSE}]*{CLOSE})")
_SPACED_SIGN = re.compile(r" (?=[?!:;»€])")
HEAVY, MILD = 0.6, 0.12  # share of the words of five letters and more that get a slip


def typeset(text: str) -> str:
    """French as a careful writer types it: no line breaks before high punctuation, curved apostrophes."""
    return _outside(text, lambda part: _SPACED_SIGN.sub("\u00a0", part).replace("« ", "«\u00a0").replace("'", "’"))


def careless(text: str) -> str:
    """All in small letters."""
    return _outside(text, str.lower)


def slips(text: str, language: Language, heavy: bool, rng: Random) -> str:
    """Misspelt words; heavy slips also lose capitals, and in French accents."""
    text = add_typos(text, HEAVY if heavy else MILD, rng)
    if heavy and rng.random() < 0.5:
        text = careless(text)
    return _outside(text, _without_accents) if heavy and language == "fr" and rng.random() < 0.6 else text


def _outside(text: str, change: Callable[[str], str]) -> str:
    """The text with everything changed but its protected spans."""
    parts = _SPAN.split(text)
    return "".join(part if place % 2 else change(part) for place, part in enumerate(parts))


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in decomposed if not unicodedata.combining(sign)))
