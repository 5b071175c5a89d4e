"""Values that people would write in a request: readable numbers, days of recent years, names and invented words."""

import datetime
import random
from typing import Any

from astudent.language.vocabulary import FieldInfo

FIRST_DAY, LAST_DAY = datetime.date(2019, 1, 1), datetime.date(2026, 12, 31)
NEGATIVE_SHARE = 0.04
ROUND_STEPS = (1, 5, 10, 25, 50, 100, 250, 500, 1000)

NAMES = (
    "Martin", "Dupont", "Léa", "Zoé", "O'Brien", "Chloé", "Smith", "Nguyen", "Fatima", "Björn", "María", "Hélène", "Ravi",
    "Olga", "Kovač", "Amélie", "d'Artagnan", "Yusuf", "Ingrid", "Noël", "Tremblay", "Garcia", "Wei", "Priya", "Jürgen",
    "Lyon", "Paris", "Genève", "Oslo", "Montréal", "Nantes", "Dublin", "Lille", "Boston", "Porto", "Saint-Malo", "Leeds",
)  # fmt: skip
WORDS = (
    "red", "summer", "north", "oak", "express", "classic", "premium", "garden", "river", "light", "silver", "budget",
    "urgent", "spare", "winter", "deluxe", "paper", "stone", "mini", "organic", "rouge", "été", "forêt", "lumière",
    "vitesse", "école", "jardin", "hiver", "bleu", "pièce", "l'eau", "gâteau", "façade", "marché", "neuf", "rivière",
)  # fmt: skip
ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "tr", "pl", "st", "ch", "gr")
VOWELS = ("a", "e", "i", "o", "u", "é", "ou", "ai", "an")
CODAS = ("", "", "", "n", "r", "l", "s", "x", "t")


def scalar(field: FieldInfo, operator: str, rng: random.Random) -> Any:
    """One value for a comparison of `field`."""
    if field.type == "enum":
        return rng.choice(field.values)[0]
    if field.type == "boolean":
        return rng.random() < 0.6
    if field.type == "date":
        return day(rng)
    if field.type == "string":
        return fragment(rng) if operator in ("contains", "starts_with", "ends_with") else text(rng)
    return number(rng, whole=field.type == "integer")


def pair(field: FieldInfo, rng: random.Random) -> list[Any]:
    """[low, high] with low below high, for `between`."""
    if field.type == "date":
        first = datetime.date.fromisoformat(day(rng))
        last = first + datetime.timedelta(days=rng.choice((6, 13, 27, 30, 60, 90, 180, 364, rng.randint(2, 400))))
        return [first.isoformat(), last.isoformat()]
    low, high = (number(rng, whole=field.type == "integer") for _ in range(2))
    while high == low:
        high = number(rng, whole=field.type == "integer")
    return sorted((low, high))


def several(field: FieldInfo, rng: random.Random) -> list[Any]:
    """Two or three distinct values for `in` and `not_in`; of an enum never all (one value where it has only two)."""
    if field.type == "enum":
        size = min(rng.choice((2, 2, 3)), max(1, len(field.values) - 1))
        return [value for value, _ in rng.sample(field.values, size)]
    values: list[str] = []
    size = rng.choice((2, 2, 3))
    while len(values) < size:
        values += [value for value in [text(rng)] if value not in values]
    return values


def number(rng: random.Random, whole: bool) -> int | float:
    """Mostly small or round; with decimals one time in four where the field takes them; rarely negative."""
    draw = rng.random()
    if draw < 0.45:
        value: int | float = rng.randint(0, 100)
    elif draw < 0.85:
        value = rng.choice(ROUND_STEPS) * rng.randint(1, 20)
    else:
        value = rng.randint(100, 9999)
    if not whole and rng.random() < 0.25:
        value = round(min(value, 999) + rng.choice((0.5, 0.25, 0.75, 0.99, 0.1 * rng.randint(1, 9))), 2)
    return -value if value and rng.random() < NEGATIVE_SHARE else value


def day(rng: random.Random) -> str:
    """A day from 2019 to 2026, `YYYY-MM-DD`; often the first of a month."""
    days = (LAST_DAY - FIRST_DAY).days
    chosen = FIRST_DAY + datetime.timedelta(days=rng.randint(0, days))
    return (chosen.replace(day=1) if rng.random() < 0.3 else chosen).isoformat()


def text(rng: random.Random) -> str:
    """One to three words as they stand in a text field: names, words of both languages, invented words, codes."""
    words = [_word(rng) for _ in range(rng.choices((1, 2, 3), (0.6, 0.32, 0.08))[0])]
    joined = " ".join(words)
    return joined[0].upper() + joined[1:] if rng.random() < 0.4 else joined


def fragment(rng: random.Random) -> str:
    """What somebody searches inside a text: one word, or its first letters."""
    word = _word(rng)
    return word[: rng.randint(2, 4)].rstrip("'-") if len(word) > 4 and rng.random() < 0.25 else word


def _word(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.35:
        return rng.choice(NAMES)
    if draw < 0.65:
        return rng.choice(WORDS)
    invented = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.choice((2, 2, 3)))) + rng.choice(
        CODAS
    )
    if draw < 0.92:
        return invented.capitalize() if rng.random() < 0.3 else invented
    return f"{invented[:2].upper()}{'-' if rng.random() < 0.5 else ''}{rng.randint(1, 999)}"
