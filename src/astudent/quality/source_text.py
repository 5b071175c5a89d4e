"""A text that a document was taken from, and whether it states a value: in doubt it does."""

import datetime
import re
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from astudent.quality.invariants.values import DATE, DATE_TIME, PLAIN_NUMBER
from astudent.quality.mentioned_dates import Days, has_spoken_time, mentioned_days, mentioned_times, mentions_month
from astudent.quality.mentioned_numbers import folded, mentioned_numbers

FEW_WORDS = 6  # of such a text each word must be there; of a longer one most
MOST = 0.8
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d(?:\.\d+)?)?(?:z|[+-]\d{2}:\d{2})?", re.ASCII | re.IGNORECASE)
MONTH = re.compile(r"((?:19|20)\d{2})-(0[1-9]|1[0-2])", re.ASCII)
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,200}")
PHONE = re.compile(r"\+?[\d\s().\-/]{6,25}", re.ASCII)
CODE = re.compile(r"[A-Z]{2}", re.ASCII)
FILLERS = frozenset(
    "a an the of and or for to in on at by with from mr mrs ms dr m mme mlle le la les l de du des d un une et ou a au aux en "
    "pour par sur dans avec".split()
)
CURRENCIES = {
    "EUR": ("€", "euro"), "USD": ("$", "dollar"), "GBP": ("£", "pound", "livre", "quid"), "CHF": ("franc", "sfr"),
    "JPY": ("¥", "yen"), "CAD": ("$", "dollar"), "AUD": ("$", "dollar"), "INR": ("₹", "rupee", "roupie"),
}  # fmt: skip
Json = Any


class Source:
    """A text, and what it mentions; each kind of thing is looked for when first asked."""

    def __init__(self, text: str, language: str) -> None:
        self._language = language
        self._folded = folded(text)

    def supports(self, value: Json) -> bool:
        """Whether the text may state the value."""
        if isinstance(value, str):
            return self._states(value.strip())
        return self._has_number(value)

    def _states(self, text: str) -> bool:
        if not text or CODE.fullmatch(text) or _stands_in(folded(text), self._folded):
            return True
        if DATE.fullmatch(text) or DATE_TIME.fullmatch(text):
            return self._has_moment(text)
        if TIME.fullmatch(text):
            return self._has_time(text)
        if month := MONTH.fullmatch(text):
            return mentions_month(self._folded, self._language, int(month[1]), int(month[2]))
        if EMAIL.fullmatch(text):
            return _squeezed(text) in self._spoken_addresses
        if text in CURRENCIES:
            return any(sign in self._folded for sign in CURRENCIES[text])
        if any(character.isdigit() for character in text):
            return self._has_identifier(text)
        return self._has_words(text)

    @cached_property
    def _numbers(self) -> set[Decimal]:
        return mentioned_numbers(self._folded, self._language)

    @cached_property
    def _days(self) -> Days:
        return mentioned_days(self._folded, self._language)

    @cached_property
    def _times(self) -> set[tuple[int, int]]:
        return mentioned_times(self._folded)

    @cached_property
    def _squeezed_text(self) -> str:
        return _squeezed(self._folded)

    @cached_property
    def _spoken_addresses(self) -> str:
        """The text squeezed, with addresses that are spelt: jane at example dot org."""
        spelt = re.sub(r"[\s(\[]+(?:at|arobase|chez)[\s)\]]+", "@", self._folded)
        return _squeezed(re.sub(r"[\s(\[]+(?:dot|point)[\s)\]]+", ".", spelt)) + " " + self._squeezed_text

    @cached_property
    def _words(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for number, word in enumerate(_words_of(self._folded)):
            places.setdefault(word, []).append(number)
        return places

    def _has_number(self, value: float | str) -> bool:
        try:
            number = abs(Decimal(str(value))).normalize()
        except (InvalidOperation, ValueError):
            return True  # no number at all, which the schema's check tells
        return not number.is_finite() or number in self._numbers

    def _has_moment(self, text: str) -> bool:
        try:
            day = datetime.date.fromisoformat(text[:10])
        except ValueError:
            return False
        clock = text[11:]
        if not self._days.support(day):
            return False
        return not clock or clock.startswith(("00:00", "23:59")) or self._has_time(clock)

    def _has_time(self, text: str) -> bool:
        match = TIME.match(text)
        if match is None or has_spoken_time(self._folded):
            return True
        hour, minute = int(match[1]), int(match[2])
        # with an offset, the text may tell the hour of another zone
        is_shifted = re.search(r"(?:z|[+-]\d{2}:\d{2})$", text, re.IGNORECASE) is not None
        return (hour, minute) in self._times or (is_shifted and any(minute == told for _, told in self._times))

    def _has_identifier(self, text: str) -> bool:
        """Letters and digits in the order of the value, whatever stands between them; of a phone number its last digits."""
        if PLAIN_NUMBER.fullmatch(text) and self._has_number(text):
            return True
        squeezed = _squeezed(folded(text))
        if len(squeezed) >= 4 and squeezed in self._squeezed_text:
            return True
        digits = re.sub(r"\D", "", text)
        if PHONE.fullmatch(text) and len(digits) >= 7:
            return digits[-8:] in re.sub(r"\D", "", self._folded)
        return self._has_words(text)

    def _has_words(self, text: str) -> bool:
        """Every word (of a long text most), not far from one another."""
        words = [word for word in _words_of(text) if len(word) > 1 and folded(word) not in FILLERS]
        if not words:
            return True
        places = [self._places_of(word) for word in words]
        missing = sum(not found for found in places)
        if len(words) > FEW_WORDS:
            named = any(
                not found and (word[0].isupper() or word.isdecimal())
                for word, found in zip(words[1:], places[1:], strict=True)
            )
            return not named and missing <= (1 - MOST) * len(words)
        return not missing and _are_close(places, 4 * len(words) + 8)

    def _places_of(self, word: str) -> list[int]:
        """Where the word stands, be it in the plural; one in lower case also with another ending."""
        plain = folded(word)
        spellings = (plain, *(plain + ending for ending in ("s", "x", "es") if len(plain) >= 4))
        exact = [place for spelling in spellings for place in self._words.get(spelling, ())]
        if exact or not word.islower():
            return exact or ([-1] if word.isdecimal() and self._has_number(word) else [])
        stem = plain[: max(4, len(plain) - 3)]
        return [place for other, found in self._words.items() if other.startswith(stem) and abs(len(other) - len(plain)) <= 4
                for place in found]  # fmt: skip


def _stands_in(part: str, text: str) -> bool:
    """Whether the part stands in the text as whole words."""
    start = text.find(part)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(part) : start + len(part) + 1]
        if not (before.isalnum() and part[0].isalnum()) and not (after.isalnum() and part[-1].isalnum()):
            return True
        start = text.find(part, start + 1)
    return False


def _are_close(places: list[list[int]], reach: int) -> bool:
    """Whether some stretch of `reach` words holds one place of each list; -1 is everywhere."""
    fixed = [found for found in places if found != [-1]]
    if not fixed:
        return True
    return any(
        all(any(abs(start - place) <= reach for place in found) for found in fixed) for start in min(fixed, key=len)
    )


def _words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def _squeezed(text: str) -> str:
    """Letters, digits and @ alone."""
    return re.sub(r"[^\w@]|_", "", text.casefold())
