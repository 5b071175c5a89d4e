"""Made-up words for pre-training: syllables of English and French, and random pieces of the tokenizer itself.

No real field name is used. Words built from random pieces leave no piece cold: a piece that pre-training never shows
stays at its random start, and an adapter on frozen embeddings cannot mend that.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from random import Random

ONSETS = "b c d f g h j k l m n p r s t v w x br cl cr dr fl fr gl gr pl pr sl st tr th ch ph qu sc sp wh".split()
NUCLEI = "a e i o u y é è ê à ai au ea ee ei eu ie io oi oo ou œ ü î ô".split()
CODAS = "b c d f g k l m n p r s t x z nd nt rd rt st ll ss ge ve ck ng que tion ment eur age ique ing er ed ly".split()
LINKS = ("de", "du", "à", "en", "of", "for", "par", "des", "la", "to")
NAMES = (
    "Léa Marc Atlas Orion Delta Nova Vega Zoé Hugo Inès Otto Milo Nadia Ravel Élan Côme Béa Noël Thaïs Anouk".split()
)

# What pre-training may not show: the keys and operators of the pipeline's own language, which
# scripts/check_tiny_student.py compares.
FORBIDDEN = frozenset(
    """where and or not field operator value group_by aggregate function sort order limit asc desc count sum avg min max
    eq neq gt gte lt lte between in not_in contains starts_with ends_with""".split()
)


@dataclass
class WordMaker:
    """Words of one pre-training run. `pieces`: the letter pieces of the tokenizer (none before it is trained).

    `english` is the share of names whose English label is not the name itself, `single` leaves names and labels of one word.
    Words of `stems` come again, whole or only in their beginning. None of `avoided` (in lower case) is made up by chance.
    """

    pieces: list[str] = field(default_factory=list)
    english: float = 0.25
    single: bool = False
    stems: tuple[str, ...] = ()
    avoided: frozenset[str] = FORBIDDEN

    def of_one_language(self, rng: Random) -> WordMaker:
        """For the names of one dialect, many of which look alike: "pet_kind" stands beside "pet_name", "autumn" beside "author"."""
        return replace(self, stems=tuple(self.word(rng) for _ in range(rng.choice((0, 0, 1, 2, 3)))))

    def word(self, rng: Random) -> str:
        while True:
            word = unicodedata.normalize("NFC", self._draw(rng))
            if word.casefold() not in self.avoided:
                return word

    def _draw(self, rng: Random) -> str:
        manner = rng.random() if self.stems else 1.0
        if manner < 0.2:
            return rng.choice(self.stems)
        if manner < 0.35:
            stem = rng.choice(self.stems)
            return (stem[: rng.randint(1, len(stem))] + self._syllable(rng))[:12]
        if self.pieces and rng.random() < 0.6:
            return "".join(rng.choice(self.pieces) for _ in range(rng.choice((1, 1, 2, 2, 3))))[:12]
        return "".join(self._syllable(rng) for _ in range(rng.choice((1, 1, 2, 2, 2))))[:12]

    @staticmethod
    def _syllable(rng: Random) -> str:
        coda = rng.choice(CODAS) if rng.random() < 0.4 else ""
        return rng.choice(ONSETS) + rng.choice(NUCLEI) + coda

    def name(self, rng: Random) -> str:
        """A key or an enum value: one to three words joined by `_`."""
        return "_".join(self.word(rng) for _ in range(1 if self.single else rng.choice((1, 1, 1, 2, 2, 2))))

    def label(self, rng: Random) -> str:
        """What people call it: one to three words, sometimes with a linking word or an apostrophe."""
        shape = rng.random()
        if self.single or shape < 0.6:
            return self.word(rng)
        if shape < 0.8:
            return f"{self.word(rng)} {self.word(rng)}"
        if shape < 0.92:
            return f"{self.word(rng)} {rng.choice(LINKS)} {self.word(rng)}"
        if shape < 0.97:
            return f"{self.word(rng)} {rng.choice('dl')}'{self.word(rng)}"
        return f"{self.word(rng)} {self.word(rng)} {self.word(rng)}"

    def literal(self, rng: Random) -> str:
        """A text value: names, words, codes."""
        words = [
            rng.choice(NAMES) if rng.random() < 0.2 else self.word(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))
        ]
        style = rng.random()
        if style < 0.3:
            words = [word.capitalize() for word in words]
        elif style < 0.36:
            words = [word.upper() for word in words]
        elif style < 0.42:
            words.append(str(rng.randint(1, 9999)))
        elif style < 0.45:
            words = [
                "".join(
                    chr(rng.choice((rng.randint(33, 126), rng.randint(160, 400), rng.randint(0x1F300, 0x1F5FF))))
                    for _ in range(3)
                )
            ]
        return re.sub(r"\s+", " ", rng.choice((" ", " ", " ", "-", "'")).join(words))
