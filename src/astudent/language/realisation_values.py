"""How a value is written: numbers in digits or words, dates, quoted strings, labels of enum values."""

import re
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from astudent.language.realisation_grammar import protect

NUMBER_WORDS = {
    "en": ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
    "fr": ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"],
}
MONTHS = {
    "en": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
    "fr": ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
}  # fmt: skip
_QUOTES = {"en": [('"', '"'), ("'", "'"), ("“", "”")], "fr": [("« ", " »"), ('"', '"')]}
_PLAIN_WORD = re.compile(r"[^\W_]{2,}")
_IN_WORDS, _BARE_WORD, _QUOTED_PHRASE, _QUOTED_WORD = 0.12, 0.2, 0.5, 0.1
# A label with one of these could be read as part of the sentence.
_JOINING = frozenset(["and", "or", "not", "nor", "no", "et", "ou", "ni", "non"])
_LEADING = frozenset(
    [
        "in", "on", "at", "by", "with", "without", "to", "for", "from", "of", "à", "au", "aux", "en", "dans", "sur", "sans",
        "hors", "de", "du", "des", "par", "pour", "avec",
    ]
)  # fmt: skip

DateStyle = Literal["iso", "day first", "month first"]


@dataclass(frozen=True)
class Style:
    """How one person writes: the same all over one request."""

    language: str
    date: DateStyle
    quotes: tuple[str, str]
    decimal: str
    formal: bool = False  # vous rather than tu

    @classmethod
    def draw(cls, language: str, rng: Random) -> "Style":
        long = ("day first", "day first", "month first") if language == "en" else ("day first",)
        date = "iso" if rng.random() < 0.55 else rng.choice(long)
        french = language == "fr"
        return cls(language, date, rng.choice(_QUOTES[language]), "," if french else ".", french and rng.random() < 0.5)

    def number(self, value: float, rng: Random) -> str:
        """12, and 12.5 or in French 12,5; a whole number from 2 to 12 sometimes in words."""
        if float(value).is_integer():
            whole = int(value)
            in_words = 2 <= whole <= 12 and rng.random() < _IN_WORDS
            return protect(NUMBER_WORDS[self.language][whole - 2] if in_words else str(whole))
        return protect(repr(float(value)).replace(".", self.decimal))

    def day(self, value: str) -> str:
        """2024-03-01, or "1 March 2024", "March 1 2024", "1er mars 2024"."""
        if self.date == "iso":
            return protect(value)
        year, month, day = (int(part) for part in value.split("-"))
        name = MONTHS[self.language][month - 1]
        if self.date == "month first":
            return protect(f"{name} {day} {year}")
        ordinal = "1er" if self.language == "fr" and day == 1 else str(day)
        return protect(f"{ordinal} {name} {year:04d}")

    def string(self, value: str, rng: Random) -> str:
        """In quotes that the value does not contain; a single plain word also bare."""
        if _PLAIN_WORD.fullmatch(value) and value.casefold() not in _JOINING | _LEADING and rng.random() < _BARE_WORD:
            return protect(value)
        return self.quoted(value)

    def label(self, label: str, rng: Random) -> str:
        """An enum value's label; quoted often when it has several words, always when it would blend in."""
        words = label.casefold().split()
        blends = words[0] in _LEADING or not _JOINING.isdisjoint(words)
        if blends or rng.random() < (_QUOTED_PHRASE if len(words) > 1 else _QUOTED_WORD):
            return self.quoted(label)
        return protect(label)

    def quoted(self, text: str) -> str:
        """In this style's quotes, or in others when the text holds one of these."""
        pairs = [self.quotes, *_QUOTES[self.language], ("«", "»")]
        safe = [pair for pair in pairs if pair[0].strip() not in text and pair[1].strip() not in text]
        before, after = (safe or pairs)[0]
        return f"{before}{protect(text)}{after}"

    def scalar(self, value: Any, field_type: str, rng: Random) -> str:
        """Any value but an enum's, which needs its label."""
        if field_type in ("number", "integer"):
            return self.number(value, rng)
        return self.day(value) if field_type == "date" else self.string(value, rng)
