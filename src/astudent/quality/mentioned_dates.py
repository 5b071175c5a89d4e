"""Which days, months and times a text mentions, in the notations of English and French."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from astudent.language.realisation_values import MONTHS
from astudent.quality.mentioned_numbers import folded

MONTH_NUMBERS = {
    folded(name)[:length]: number
    for names in MONTHS.values()
    for number, name in enumerate(names, start=1)
    for length in (3, 4, 5, 12)
    if folded(name)[:length] != "jui" and folded(name)[:length] != "mar"
} | {"mar": 3, "sept": 9}
"""Month names of both languages and their abbreviations; three letters of juin and juillet are the same."""
WEEKDAYS = {
    word: number
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
    )
    for number, word in enumerate(names.split())
}
NAME = "(" + "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True)) + r")\b\.?"
WEEKDAY = r"(?:(?:" + "|".join(WEEKDAYS) + r"),? (?:le |the )?)?"
YEAR = r"(?:,? (?:of |de )?(\d{4}|'?\d{2}(?!\d|:|h)))?"
ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
NUMERIC = re.compile(WEEKDAY + r"(?<!\d)(?<!\d[-/.])(\d{1,2})[-/.](\d{1,2})(?:[-/.](\d{4}|\d{2}))?(?!\d)")
DAY_FIRST = re.compile(
    WEEKDAY + r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|e)?(?: of)?[ -]" + NAME + YEAR.replace(",? ", "[-,]? ?")
)
MONTH_FIRST = re.compile(WEEKDAY + r"\b" + NAME + r" (\d{1,2})(?:st|nd|rd|th)?(?!\d)" + YEAR)
RELATIVE = re.compile(
    r"\b(?:today|tomorrow|yesterday|tonight|(?:this|next|last|coming|following) (?:week|month|year|day|quarter)|in \d+ days|"
    r"\d+ days|\w+ days (?:later|after|ago|from)|end of|fin du|fin de|aujourd'hui|demain|hier|apres-demain|dans \d+ jours|\d+ jours|"
    r"(?:semaine|mois|annee) (?:prochaine?|derniere?|suivante?)|prochain|dernier|une semaine|a week|a fortnight)\b"
)
NUMERIC_DATE = re.compile(r"(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?!\d)")
NUMERIC_MONTH = re.compile(r"(?<![\d/.-])(?:(\d{1,2})[-/.](\d{4})|(\d{4})[-/.](\d{1,2}))(?![-/.]?\d)")
MONTH_OF_YEAR = re.compile(r"\b" + NAME + r",? (?:of |de )?(\d{4})(?!\d)")
LONE_MONTH = re.compile(r"\b(?:in|of|for|during|en|de|d'|pour) ?" + NAME + r"(?!,? (?:of |de )?\d{4})")
RELATIVE_MONTH = re.compile(
    r"\b(?:(?:this|next|last|coming|following|current|previous) month|ce mois|mois (?:prochain|dernier|suivant|courant|en cours))\b"
)
CLOCK = re.compile(
    r"(?<!\d)(\d{1,2})(?:[:h.](\d{2})|h)?(?::\d{2})? ?(am|pm|a\.m\.|p\.m\.|heures?|hours?|o'clock|h)?(?![\d])"
)
SPACED_CLOCK = re.compile(r"(?<!\d)(\d{1,2}) ?(?:h|heures?) ?(\d{2})(?!\d|[.,]\d)")
AMOUNT_AFTER = re.compile(r" ?(?:min|mn|[€$£%]|eur|usd|gbp|chf|personnes?|places?)")
NAMED_TIMES = {"noon": (12, 0), "midday": (12, 0), "midi": (12, 0), "midnight": (0, 0), "minuit": (0, 0)}
SPOKEN_TIME = re.compile(r"\b(?:half past|quarter (?:past|to)|et demie|et quart|moins le quart)\b")


@dataclass(frozen=True, slots=True)
class Days:
    """The days that a text names; `year` None: any year. `is_open`: it also speaks of days in ways that need a calendar."""

    named: set[tuple[int | None, int, int]] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)
    is_open: bool = False

    def support(self, day: datetime.date) -> bool:
        """Whether the day may be one of them."""
        exact = {(day.year, day.month, day.day), (None, day.month, day.day)}
        return bool(exact & self.named) or self.is_open or day.weekday() in self.weekdays


def mentioned_days(text: str, language: str) -> Days:
    """The days of a folded text. English numeric dates are read day first and month first."""
    named = set(_named(text, language))
    rest = NUMERIC.sub(" ", _without_dates(text))
    weekdays = {number for word, number in WEEKDAYS.items() if re.search(rf"\b{word}\b", rest)}
    return Days(named, weekdays, RELATIVE.search(text) is not None)


def _without_dates(text: str) -> str:
    """The text without days that are written with a month in words, or as ISO dates."""
    for pattern in (ISO, DAY_FIRST, MONTH_FIRST):
        text = pattern.sub(" ", text)
    return text


def _named(text: str, language: str) -> Iterator[tuple[int | None, int, int]]:
    for match in ISO.finditer(text):
        yield int(match[1]), int(match[2]), int(match[3])
    for match in NUMERIC.finditer(text):
        yield _year(match[3]), int(match[2]), int(match[1])
        if language != "fr":
            yield _year(match[3]), int(match[1]), int(match[2])
    yield from _written(text)


def _written(text: str) -> Iterator[tuple[int | None, int, int]]:
    """The days whose month is a word."""
    for match in DAY_FIRST.finditer(text):
        yield _year(match[3]), MONTH_NUMBERS[match[2]], int(match[1])
    for match in MONTH_FIRST.finditer(text):
        yield _year(match[3]), MONTH_NUMBERS[match[1]], int(match[2])


def _year(digits: str | None) -> int | None:
    if not digits:
        return None
    year = int(digits.strip("'"))
    return year if year >= 100 else 2000 + year if year < 70 else 1900 + year


def mentions_month(text: str, language: str, year: int, month: int) -> bool:
    """Whether a folded text may name the month: by itself, by one of its days, or as one that only a calendar tells."""
    named = {(year, month), (None, month)} & set(_months(text, language))
    return bool(named) or RELATIVE_MONTH.search(text) is not None


def _months(text: str, language: str) -> Iterator[tuple[int | None, int]]:
    """The months that a text names; a year of None stands for any."""
    # 10.5 without a year is rather a number
    yield from ((year, month) for year, month, _ in _named(text, language) if year)
    yield from ((year, month) for year, month, _ in _written(text))
    for match in NUMERIC_MONTH.finditer(text):
        yield (int(match[2]), int(match[1])) if match[1] else (int(match[3]), int(match[4]))
    yield from ((int(match[2]), MONTH_NUMBERS[match[1]]) for match in MONTH_OF_YEAR.finditer(text))
    yield from ((None, MONTH_NUMBERS[match[1]]) for match in LONE_MONTH.finditer(text))


def mentioned_times(text: str) -> set[tuple[int, int]]:
    """(hour, minute) of each time of day that a folded text may name; 2 may be in the afternoon."""
    found = {time for word, time in NAMED_TIMES.items() if re.search(rf"\b{word}\b", text)}
    for match in SPACED_CLOCK.finditer(text):
        found.update(_readings(int(match[1]), int(match[2]), ""))
    for match in CLOCK.finditer(_without_minutes(NUMERIC_DATE.sub(" ", _without_dates(text)))):
        found.update(_readings(int(match[1]), int(match[2] or 0), (match[3] or "")[:1]))
    return found


def _without_minutes(text: str) -> str:
    """The text without times such as 14 h 30, of which 14 h is no time; but 14 h 30 min may be 14 h, for half an hour."""
    return SPACED_CLOCK.sub(lambda match: match[0] if AMOUNT_AFTER.match(text, match.end()) else " ", text)


def _readings(hour: int, minute: int, mark: str) -> Iterator[tuple[int, int]]:
    """The times that an hour and a minute may be; `mark` is a for am, p for pm."""
    if hour > 24 or minute > 59:
        return
    yield hour % 24, minute
    if mark == "p" or (mark != "a" and hour < 12):
        yield (hour % 12) + 12, minute
    if mark == "a" and hour == 12:
        yield 0, minute


def has_spoken_time(text: str) -> bool:
    """Whether a time is told in a way that is not read here: half past two."""
    return SPOKEN_TIME.search(text) is not None
