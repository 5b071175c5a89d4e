"""Made-up words, so that a student must read a schema instead of remembering words.

Every domain draws from words of its own (by a hash), so no made-up name of one domain occurs in another.
"""

import hashlib
from dataclasses import dataclass, field
from random import Random

_ONSETS = "b c d f g h j k l m n p r s t v z br cr dr fr gr pl pr tr st ch ph qu th bl cl fl gl sp sk".split()
_VOWELS = {
    "en": "a e i o u ea oo ou ie ai y".split(),
    "fr": "a e i o u é ou ai oi eau è".split(),
}
_CODAS = "n r l m nd nt rd ge ck p t b g d v k ll rn lt".split()
_CODA_SHARE = 0.4


@dataclass
class Inventor:
    """Draws words that belong to bucket `bucket` of `buckets`, each word once."""

    rng: Random
    bucket: int
    buckets: int
    _taken: set[str] = field(default_factory=set)

    def word(self, language: str) -> str:
        """A pronounceable word of two syllables, as long as everyday words are; in English letters of ASCII alone."""
        while True:
            word = self._syllable(language) + self._syllable(language)
            if word not in self._taken and 4 <= len(word) <= 9 and bucket_of(word, self.buckets) == self.bucket:
                self._taken.add(word)
                return word

    def key(self) -> str:
        """A field's or value's name in snake case."""
        return "_".join(self.word("en") for _ in range(1 if self.rng.random() < 0.7 else 2))

    def phrase(self, language: str) -> str:
        """A label of one to two words, in French often joined by "de"."""
        if self.rng.random() < 0.65:
            return self.word(language)
        joint = (
            self.rng.choice((" ", " de ", " du ", " à ")) if language == "fr" else self.rng.choice((" ", " ", " of "))
        )
        return f"{self.word(language)}{joint}{self.word(language)}"

    def _syllable(self, language: str) -> str:
        coda = self.rng.choice(_CODAS) if self.rng.random() < _CODA_SHARE else ""
        return self.rng.choice(_ONSETS) + self.rng.choice(_VOWELS[language]) + coda


def bucket_of(word: str, buckets: int) -> int:
    """The bucket (0 to buckets - 1) that a word belongs to, on every machine the same."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest()) % buckets
