"""Which numbers a text mentions, in any usual notation of English and French; doubtful readings count, all of them."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

RUN = re.compile(r"\d(?:[\d.,'’\s]*\d)?")
GROUPS = re.compile(r"\d{1,3}(?:[.,'’ ]\d{3})+")
PIECE = re.compile(r"\d+(?:[.,]\d+)?")
MAX_RUN = 40  # characters; a longer run of digits is read piece by piece
PERCENT = re.compile(r"\s*(?:%|percent\b|per cent\b|pour ?cent\b|pct\b|points?\b)")
CENTS = re.compile(r"\s*(?:cents?\b|centimes?\b|pence\b|p\b|ct\b|¢)")
SIGNS = frozenset("%¢½€$£")
TIMES_AFTER = (
    (re.compile(r"\s*(?:k|mille|thousand)\b|\s*k[€$£]"), (Decimal(1000),)),
    (re.compile(r"\s*(?:m|mio|million|millions)\b|\s*m[€$£]"), (Decimal(10**6),)),
    (re.compile(r"\s*(?:bn|billion|milliards?|billions)\b"), (Decimal(10**9),)),
    (re.compile(r"\s*(?:hundred|cents)\b"), (Decimal(100),)),
    (re.compile(r"\s*(?:dozens?|douzaines?)\b"), (Decimal(12),)),
    (re.compile(r"\s*(?:h|hours?|hrs?|heures?)\b"), (Decimal(60), Decimal(3600))),
    (re.compile(r"\s*(?:min|mins|minutes?)\b"), (Decimal(60),)),
    (re.compile(r"\s*(?:weeks?|semaines?)\b"), (Decimal(7),)),
    (re.compile(r"\s*(?:years?|ans?|annees?)\b"), (Decimal(12),)),
    (re.compile(r"\s*(?:and a half|et demie?|½)"), ()),
)
HOURS = re.compile(r"\b(\d{1,3})\s?h\s?(\d{2})\b")
SPLIT_MONEY = re.compile(r"\b(\d+)\s?(?:[€$£]|euros?|dollars?|pounds?|livres?|francs?)\s?(?:and |et )?(\d{2})\b")
FRACTION = re.compile(r"\b(\d{1,3})/(\d{1,3})\b")
UNITS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    "fr": "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
}
TENS = {
    "en": {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90},
    "fr": {"vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70,
           "huitante": 80, "octante": 80, "nonante": 90},
}  # fmt: skip
SCALES = {
    "hundred": 100,
    "cent": 100,
    "cents": 100,
    "thousand": 1000,
    "mille": 1000,
    "million": 10**6,
    "millions": 10**6,
}
JOINING = frozenset(["and", "et"])
SINGLE = frozenset("a an one single once un une seul seule".split())
NONE = frozenset(
    "no none free without zero nothing waived included aucun aucune gratuit gratuite sans rien offert offerte".split()
)
SPECIAL = {
    "half": Decimal("0.5"), "demi": Decimal("0.5"), "demie": Decimal("0.5"), "quarter": Decimal("0.25"), "quart": Decimal("0.25"),
    "dozen": Decimal(12), "douzaine": Decimal(12), "dizaine": Decimal(10), "pair": Decimal(2), "couple": Decimal(2),
    "paire": Decimal(2), "both": Decimal(2), "deux": Decimal(2), "twice": Decimal(2), "first": Decimal(1), "second": Decimal(2),
    "third": Decimal(3), "fourth": Decimal(4), "fifth": Decimal(5), "premier": Decimal(1), "premiere": Decimal(1),
    "deuxieme": Decimal(2), "troisieme": Decimal(3), "quatrieme": Decimal(4), "cinquieme": Decimal(5),
}  # fmt: skip


def folded(text: str) -> str:
    """Lower case, without accents, with plain spaces and apostrophes."""
    if text.isascii():
        return re.sub(r"\s", " ", text.lower())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"\s", " ", bare.replace("’", "'")).replace("−", "-")


def mentioned_numbers(text: str, language: str) -> set[Decimal]:
    """All numbers that the folded text may mean, without their signs."""
    found = set(_in_digits(text)) | set(_in_words(text, language))
    return {abs(number).normalize() for number in found}


def _in_digits(text: str) -> Iterator[Decimal]:
    for match in RUN.finditer(text):
        for end, number in _readings(match.group(), match.start()):
            yield number
            yield from _scaled(number, text[end : end + 16])
    for match in HOURS.finditer(text):
        hours, minutes = Decimal(match[1]), Decimal(match[2])
        yield from (hours * 60 + minutes, hours + minutes / 60)
    for match in SPLIT_MONEY.finditer(text):
        yield Decimal(f"{match[1]}.{match[2]}")
    for match in FRACTION.finditer(text):
        if int(match[2]):
            yield Decimal(match[1]) / Decimal(match[2])


def _readings(run: str, offset: int) -> Iterator[tuple[int, Decimal]]:
    """The numbers that a run of digits and separators may be, whole and in pieces, each with where it ends."""
    if len(run) <= MAX_RUN:
        for whole in _as_one(run):
            yield offset + len(run), whole
    for match in PIECE.finditer(run):
        for number in _as_one(match.group()):
            yield offset + match.end(), number
        for part in re.split("[.,]", match.group())[: len(match.group()) - 1]:
            yield offset + match.end(), Decimal(part)
    for match in GROUPS.finditer(run):
        rest = re.match(r"[.,]\d+", run[match.end() :])
        for number in _as_one(match.group() + (rest.group() if rest else "")):
            yield offset + match.end() + (rest.end() if rest else 0), number


def _as_one(run: str) -> Iterator[Decimal]:
    """With the last separator as the decimal point, and with all separators as marks between thousands."""
    compact = re.sub(r"['’\s]", "", run)
    yield Decimal(re.sub("[.,]", "", compact))
    head, separator, tail = compact.replace(",", ".").rpartition(".")
    if separator:
        yield Decimal(f"{head.replace('.', '')}.{tail}")


def _scaled(number: Decimal, after: str) -> Iterator[Decimal]:
    if not after.strip()[:1].isalpha() and after.strip()[:1] not in SIGNS:
        return
    if PERCENT.match(after) or CENTS.match(after):
        yield number / 100
    for pattern, scales in TIMES_AFTER:
        if pattern.match(after):
            yield from (number * scale for scale in scales)
            yield from () if scales else (number + Decimal("0.5"),)


def _in_words(text: str, language: str) -> Iterator[Decimal]:
    words = re.findall(r"[a-z]+", text)
    present = set(words)
    if present & SINGLE:
        yield Decimal(1)
    if present & NONE:
        yield Decimal(0)
    yield from (number for word, number in SPECIAL.items() if word in present)
    for tongue in (language,) if language in UNITS else tuple(UNITS):
        yield from _spelt(words, tongue)


def _spelt(words: list[str], language: str) -> Iterator[Decimal]:
    """Numbers in words: each run of number words, and each of its beginnings, since a run may hold two numbers."""
    small = {word: value for value, word in enumerate(UNITS[language].split())} | TENS[language]
    for start, word in enumerate(words):
        if word not in small and word not in SCALES:
            continue
        total = current = 0
        for word_ in words[start : start + 10]:
            if word_ in small:
                # quatre-vingts: four times twenty
                current = current * 20 if current == 4 and small[word_] == 20 else current + small[word_]
            elif word_ in SCALES:
                current = max(current, 1) * SCALES[word_]
                total, current = (total + current, 0) if SCALES[word_] >= 1000 else (total, current)
            elif word_ not in JOINING:
                break
            yield from (Decimal(total + current), Decimal(total + current) / 100)
