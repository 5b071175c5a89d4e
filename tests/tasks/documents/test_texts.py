"""The texts state every value: a reader that shares no code with the generator finds each in a usual notation."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.language.validation import validator_for
from astudent.quality.invariants import compile_invariants
from astudent.records import DatasetRow, Language
from astudent.tasks.documents import SCHEMAS
from astudent.tasks.documents.draw import Decks, Draw
from astudent.tasks.documents.notation import Notation
from astudent.tasks.documents.render import render

SPACES = "[ \u00a0\u202f]"
NUMBERS = {
    "en": (r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", r"\d+(?:\.\d+)?"),
    "fr": (rf"\d{{1,3}}(?:{SPACES}\d{{3}})+(?:,\d+)?", r"\d+(?:,\d+)?"),
}
WORDS = {
    "en": "zero once two three four five six seven eight nine ten eleven twelve".split(),
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze".split(),
}
NOTHING = re.compile(r"\b(no|none|nothing|aucune?|rien)\b", re.IGNORECASE)
MONTHS = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec".split(),
    "fr": "janv févr mars avri mai juin juil août sept octo nove déce".split(),
}
# how each enumerated value may be said in either language
SAID = {
    "meat": "meat|viande", "vegetarian": "vegetarian|végétarien", "vegan": "vegan|végétalien|végan",
    "hardcover": "hardcover|hardback|relié", "paperback": "paperback|broché", "ebook": "e-?book|numérique",
    "easy": "easy|facile", "medium": "medium|moyenne|intermédiaire", "hard": "hard|difficult|difficile",
    "lost": "lost|perdu", "found": "found|trouvé", "black": "black|noire", "blue": "blue|bleue",
    "brown": "brown|marron|brune", "green": "green|verte", "grey": "grey|grise", "red": "red|rouge",
    "company": "company|société", "association": "association", "cooperative": "cooperative|coopérative",
    "on_site": "on site|in person|sur place|en présentiel", "online": "online|en ligne", "hybrid": "hybrid",
    "permanent": "permanent|CDI", "fixed_term": "fixed-term|CDD", "internship": "internship|stage",
    "month": "a month|per month|par mois", "year": "a year|per year|par an", "gas": "gas|gaz",
    "electric": "electric|électrique", "district": "district|urbain", "train": "train", "bus": "bus|coach|car",
    "flight": "flight|vol", "current": "current|courant", "savings": "savings|épargne", "routine": "routine|courante",
    "urgent": "urgent", "mon": "monday|lundi", "tue": "tuesday|mardi", "wed": "wednesday|mercredi",
    "thu": "thursday|jeudi", "fri": "friday|vendredi", "EUR": "€|EUR", "GBP": "£|GBP", "USD": r"\$|USD",
    "standard": "standard", "express": "express", "pickup": "pickup|point de retrait", "loyalty": "loyalty|fidélité",
    "volume": "volume|quantité", "clearance": "clearance|déstockage", "pending": "pending|en attente",
    "paid": "paid|payée", "shipped": "shipped|expédiée", "travel": "travel|transport",
    "lodging": "lodging|accommodation|hébergement", "meals": "meals|repas", "other": "other|divers",
    "full_time": "full-time|temps plein", "part_time": "part-time|temps partiel", "waiting": "waiting|en attente",
    "partial": "partial|partly|partielle|en partie", "complete": "complete|complète", "fire": "fire|incendie",
    "water": "water damage|dégât des eaux", "theft": "theft|vol", "storm": "storm|tempête", "hour": r"\bh\b",
    "m2": "m²", "piece": "pcs|pièces",
}  # fmt: skip


@cache
def numbers_in(text: str, language: str) -> set[Decimal]:
    """Every number that may be read anywhere, with and without the digits before it taken for its thousands."""
    found = {Decimal(value) for value, word in enumerate(WORDS[language]) if re.search(rf"\b{word}\b", text.lower())}
    for pattern in NUMBERS[language]:
        for each in re.finditer(rf"(?<!\d)(?=({pattern}))", text):
            digits = re.sub(rf"{SPACES}", "", each[1])
            found.add(Decimal(digits.replace(",", "") if language == "en" else digits.replace(",", ".")))
    return found | ({Decimal(0)} if NOTHING.search(text) else set())


@cache
def dates_in(text: str, language: str) -> set[str]:
    """Every day that is written: ISO, in figures by the stated order (French: the day first), or with a month's name."""
    found = set(re.findall(r"\d{4}-\d\d-\d\d", text))
    stated = language == "fr" or re.search("day/month/year|dd/mm/yyyy", text)
    month_first = re.search("month/day/year|mm/dd/yyyy", text)
    for one, two, year in re.findall(r"(\d\d)[/.](\d\d)[/.](\d{4})", text):
        assert bool(stated) != bool(month_first), "a date in figures without a stated order"
        found.add(f"{year}-{one}-{two}" if month_first else f"{year}-{two}-{one}")
    for day, name, year in re.findall(r"(\d{1,2})(?:er)? (\w+) (\d{4})", text):
        found |= {f"{year}-{month:02}-{int(day):02}" for month in month_of(name, language)}
    for name, day, year in re.findall(r"(\w+) (\d{1,2}), (\d{4})", text):
        found |= {f"{year}-{month:02}-{int(day):02}" for month in month_of(name, language)}
    return found


def month_of(name: str, language: str) -> list[int]:
    return [number for number, start in enumerate(MONTHS[language], start=1) if name.lower().startswith(start)]


@cache
def months_in(text: str, language: str) -> set[str]:
    """Months with their year, in words or figures."""
    found = {f"{year}-{month}" for month, year in re.findall(r"(\d\d)/(\d{4})", text)}
    for name, year in re.findall(r"(\w+) (\d{4})", text):
        found |= {f"{year}-{month:02}" for month in month_of(name, language)}
    return found


@cache
def times_in(text: str) -> set[str]:
    """Times of day: 14:30, 2:30 pm, 2 pm, 14h30, 14 h."""
    found = {f"{int(hour):02}:{minute or '00'}" for hour, minute in re.findall(r"(\d{1,2}) ?h ?(\d\d)?(?!\w)", text)}
    for hour, minute, half in re.findall(r"(\d{1,2})(?::(\d\d))? (am|pm)", text):
        found.add(f"{int(hour) % 12 + (12 if half == 'pm' else 0):02}:{minute or '00'}")
    return found | set(re.findall(r"\d\d:\d\d(?! [ap]m)", text))


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar with the name of the member that it belongs to."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, name)
    else:
        yield name, value


def is_stated(name: str, value: Any, text: str, language: str) -> bool:
    if isinstance(value, bool):
        return True  # see test_what_is_true_or_false_shows_in_the_text
    if isinstance(value, int | float):
        number = Decimal(str(value))
        signed = number >= 0 or re.search(r"-[^\d\n]{0,5}\d", text)
        return abs(number) in numbers_in(text, language) and bool(signed)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value in dates_in(text, language)
    if re.fullmatch(r"\d{4}-\d\d", value) and name == "month":
        return value in months_in(text, language)
    if re.fullmatch(r"\d\d:\d\d", value):
        return value in times_in(text)
    said = SAID.get(value)
    return bool(re.search(said, text, re.IGNORECASE)) if said else value in text


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_value_is_stated(dataset: list[DatasetRow], name: str) -> None:
    for row in dataset:
        if row.domain_id == name:
            missing = [
                leaf for leaf in leaves(row.ast_json) if not is_stated(*leaf, text=row.query, language=row.language)
            ]
            assert not missing, (row.query, missing)


@pytest.mark.parametrize(
    ("name", "member"), [("rental", "furnished"), ("travel", "refundable"), ("claim", "police_report")]
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_true_or_false_shows_in_the_text(name: str, member: str, language: Language) -> None:
    for layout in SCHEMAS[name].layouts(language).layouts:
        texts = {value: _text(name, language, layout, {member: value}) for value in (True, False)}
        denied = re.compile(r"\bnot?\b|\bun(?=furn)|\bnon\b|n'est pas|n'y a pas|\bpas\b", re.IGNORECASE)
        lines = {value: set(text.split("\n")) for value, text in texts.items()}
        assert denied.search(" ".join(lines[False] - lines[True])), texts[False]
        assert not denied.search(_difference(texts[True], texts[False])), texts[True]


def _difference(text: str, other: str) -> str:
    """The words of a text that the other one has fewer of."""
    words = text.split()
    return " ".join(word for word in words if words.count(word) > other.split().count(word))


def _text(name: str, language: Language, layout: str, changed: dict[str, Any]) -> str:
    kind = SCHEMAS[name]
    document = kind.document(Draw(Random(1), Decks(Random(1)), language, tests=False)) | changed
    draw = Draw(Random(2), Decks(Random(2)), language, tests=False)
    return render(document, kind.layouts(language), layout, Notation.draw(language, "EUR", Random(3)), draw)


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_optional_member_shows_in_every_layout(name: str, language: Language) -> None:
    kind = SCHEMAS[name]
    full = {"mileage": {"km": 77, "rate": 0.3, "amount": 23.1}, "coupon": {"code": "ZZ9", "percent": 5, "amount": 7.77}}
    optional = set(kind.schema["properties"]) - set(kind.schema["required"])
    for layout in kind.layouts(language).layouts:
        for member in optional:
            document = kind.document(Draw(Random(4), Decks(Random(4)), language, tests=False))
            there = _text(
                name, language, layout, {member: document.get(member, full.get(member, _made(kind.schema, member)))}
            )
            absent = _text(name, language, layout, {member: None})
            assert there != absent, (layout, member)


def _made(schema: dict[str, Any], member: str) -> Any:
    """Any valid value of an optional member, by its schema alone."""
    node = schema["properties"][member]
    node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else node
    if "enum" in node:
        return node["enum"][0]
    if node.get("type") == "object":
        return {name: _made(node, name) for name in node["properties"]}
    return {"string": "2026-07-08", "integer": 7, "number": 7.5, "boolean": True}[node["type"]]


def test_no_telephone_number_where_the_answer_has_none(dataset: list[DatasetRow]) -> None:
    looks_so = re.compile(r"\d{3}[-) ]+555|7946 0|01632|\b0\d[ .]\d\d[ .]\d\d[ .]\d\d|\+33")
    for row in dataset:
        if "phone" in row.schema_json["properties"]:
            assert bool(looks_so.search(row.query)) == ("phone" in row.ast_json), row.query


def test_every_schema_has_many_forms_of_text_in_each_language(dataset: list[DatasetRow]) -> None:
    skeletons = defaultdict[tuple[str, str], set[str]](set)
    for row in dataset:
        bare = row.query
        for value in sorted((str(value) for _, value in leaves(row.ast_json)), key=len, reverse=True):
            bare = bare.replace(value, "")
        skeletons[row.domain_id, row.language].add(re.sub(r"[\d.,: ]+", "", bare))
    for name, kind in SCHEMAS.items():
        for language in ("en", "fr"):
            assert len(kind.layouts(language).layouts) >= 4
            assert len(skeletons[name, language]) >= 40, (name, language)


def test_texts_are_clean(dataset: list[DatasetRow]) -> None:
    for row in dataset:
        assert not re.search(r"[{}\[\]]|None|True|False|  +\S+  +\n|\( | \)|\n\n\n|[ \t]\n|\.\.", row.query), row.query
        assert not re.search(r" [,.]", row.query), row.query
        if row.language == "fr":
            assert not re.search(r"\w[;!?](?:\s|$)|\b[ld]e [aeiouéèêà]\w+e\b", row.query), row.query
        else:
            assert not re.search(r"\w [;:!?](?:\s|$)|\ba [aeio]\w", row.query), row.query


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from(["en", "fr"]), st.integers())
def test_amounts_can_be_read_back(value: Decimal, language: Language, seed: int) -> None:
    notation = Notation.draw(language, None, Random(seed))
    assert value in numbers_in(notation.money(float(value)), language)


@given(st.dates(), st.sampled_from(["en", "fr"]), st.integers())
def test_dates_can_be_read_back(day: Any, language: Language, seed: int) -> None:
    notation = Notation.draw(language, None, Random(seed))
    for weekday in (False, True):
        text = f"{notation.date(day.isoformat(), weekday)}\n{notation.convention}"
        assert day.isoformat() in dates_in(text, language) or day.year < 1000


@given(st.times(), st.sampled_from(["en", "fr"]), st.integers())
def test_times_can_be_read_back(time: Any, language: Language, seed: int) -> None:
    notation = Notation.draw(language, None, Random(seed))
    assert f"{time:%H:%M}" in times_in(notation.time(f"{time:%H:%M}"))


def test_the_example_of_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "tasks_documents.md").read_text(encoding="utf-8")
    text, answer = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("text", "json"))
    assert text is not None and answer is not None
    document, schema = json.loads(answer[1]), SCHEMAS["order"].schema
    assert validator_for(schema).problems(document) == [] == compile_invariants(schema).breaches(document)
    assert all(is_stated(name, value, text[1], "fr") for name, value in leaves(document))
    assert all(f" {name}" in page for name in SCHEMAS)
