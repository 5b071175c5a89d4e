"""Where a document's values come from: words of wide lists, part of them kept for the tests, and balanced draws."""

import datetime
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from astudent.language.splits import digest_of
from astudent.records import Language

Document = dict[str, Any]
COUNTS = (1, 2, 2, 3)  # items of a long document
HELD_OUT_IN = 5  # one word of so many is kept for the tests
HELD_OUT_LISTS = frozenset(
    {"first", "last", "firm", "street", "city", "product", "book", "dish", "item", "service", "event", "article"}
)


@cache
def words(language: Language, name: str) -> tuple[str, ...]:
    """One of the word lists of `words.<language>.txt`; KeyError for a name that it lacks."""
    source = files("astudent.tasks.documents").joinpath(f"words.{language}.txt").read_text(encoding="utf-8")
    lists = dict(line.split(" = ", 1) for line in source.splitlines() if " = " in line)
    return tuple(word.strip() for word in lists[name].split("|"))


@cache
def held_out(language: Language, name: str) -> frozenset[str]:
    """The words of a list that occur in no row but those of the tests (about one in five of the lists named above)."""
    if name not in HELD_OUT_LISTS:
        return frozenset()
    ranked = sorted(words(language, name), key=digest_of)
    return frozenset(ranked[: max(2, len(ranked) // HELD_OUT_IN)])


class Decks:
    """Values dealt like cards: a deck is used up before it is shuffled anew, so that shares hold in few rows, too.

    A document that is refused is drawn again from the hand that it had; else what makes documents be refused would
    grow rare.
    """

    def __init__(self, rng: Random) -> None:
        self._rng, self._left = rng, dict[str, list[Any]]()
        self._hand, self._played = list[tuple[str, Any]](), 0

    def new_hand(self) -> None:
        """What is dealt from now on is for another document."""
        self._hand, self._played = [], 0

    def same_hand(self) -> None:
        """What is dealt from now on is what was dealt since the last new hand, as far as the same decks are asked for."""
        self._played = 0

    def deal(self, name: str, values: Sequence[Any]) -> Any:
        """The next value of the deck `name`, which always holds `values`."""
        if self._played < len(self._hand) and self._hand[self._played][0] == name:
            value = self._hand[self._played][1]
        else:
            del self._hand[self._played :]
            value = self._next(name, values)
            self._hand.append((name, value))
        self._played += 1
        return value

    def _next(self, name: str, values: Sequence[Any]) -> Any:
        left = self._left.setdefault(name, [])
        if not left:
            left.extend(values)
            self._rng.shuffle(left)
        return left.pop()


class Draw:
    """Draws the values of one document. `tests` says whether words that are kept for the tests may come."""

    def __init__(self, rng: Random, decks: Decks, language: Language, tests: bool) -> None:
        self.rng = rng
        self.language: Language = language
        self._decks, self._tests = decks, tests

    def one(self, name: str, values: Sequence[Any]) -> Any:
        """A value of an enumeration, each as often as the others."""
        return self._decks.deal(name, values)

    def flag(self, name: str, tenths: int = 5) -> bool:
        """True in so many of ten documents."""
        return self._decks.deal(name, [True] * tenths + [False] * (10 - tenths))

    def word(self, name: str) -> str:
        """A word of a list; in the tests every other one is a word that is never trained on."""
        return self.several(name, 1)[0]

    def several(self, name: str, count: int) -> list[str]:
        """Different words of a list."""
        kept = held_out(self.language, name)
        trained = [word for word in words(self.language, name) if word not in kept]
        new = self.rng.sample(sorted(kept), min(count, len(kept))) if self._tests and self.rng.random() < 0.5 else []
        return new[:count] + self.rng.sample(trained, count - len(new[:count]))

    def person(self) -> str:
        """First and last name."""
        return f"{self.word('first')} {self.word('last')}"

    def people(self, count: int) -> list[str]:
        """People who share neither first nor last name."""
        pairs = zip(self.several("first", count), self.several("last", count), strict=True)
        return [f"{first} {last}" for first, last in pairs]

    def company(self) -> str:
        """A composed name, `Marlow & Finch`, `Ateliers Morel`."""
        form = self.rng.choice(words(self.language, "company"))
        return form.replace("1", self.word("firm")).replace("2", self.word("last"))

    def email(self, name: str = "") -> str:
        """An address of a person at a domain that is reserved for examples."""
        first, last = (name or self.person()).split(" ", 1)
        form = self.rng.choice(("{f}.{l}", "{i}.{l}", "{f}", "{f}{n}", "{l}.{f}"))
        user = form.format(f=first, l=last, i=first[0], n=self.rng.randint(2, 98))
        return f"{_ascii(user)}@{self.rng.choice(words(self.language, 'domain'))}"

    def phone(self) -> str:
        """A telephone number as it is written in the language's country."""
        form = self.rng.choice(words(self.language, "phone"))
        return self.code(form)

    def code(self, form: str) -> str:
        """`#` becomes a digit, `%` a capital letter that nobody takes for one."""
        return "".join(self._sign(sign) for sign in form)

    def _sign(self, sign: str) -> str:
        return (
            str(self.rng.randrange(10))
            if sign == "#"
            else self.rng.choice("ABCDEFGHJKLMNPRSTVWX")
            if sign == "%"
            else sign
        )

    def address(self) -> dict[str, str]:
        """`street` with its number, `postcode` of five digits, `city`."""
        number, street = self.rng.randint(1, 180), self.word("street")
        joined = f"{number} {street}"
        return {"street": joined, "postcode": self.code("#####"), "city": self.word("city")}

    def day(self, first: str = "2025-01-06", last: str = "2026-12-18") -> datetime.date:
        """A day between two, both included."""
        start, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
        return start + datetime.timedelta(days=self.rng.randint(0, (end - start).days))

    def later(self, day: datetime.date, low: int, high: int) -> datetime.date:
        """From `low` to `high` days after a day."""
        return day + datetime.timedelta(days=self.rng.randint(low, high))

    def time(self, first: int = 8, last: int = 19) -> str:
        """A time of day at a quarter of an hour, `14:30`."""
        return f"{self.rng.randint(first, last):02}:{self.rng.choice((0, 0, 15, 30, 30, 45)):02}"

    def price(self, low: int, high: int) -> Decimal:
        """An amount with cents, as prices look; bounds in whole units."""
        tail = self.rng.choice(("00", "00", "50", "90", "95", "99", "25", f"{self.rng.randrange(100):02}"))
        return Decimal(f"{self.rng.randint(low, high - 1)}.{tail}")

    def distractor(self, name: str) -> str:
        """Something that belongs to no member: a person who signs, a telephone number, a reference, a number."""
        made = {"name": self.person, "phone": self.phone, "company": self.company, "email": self.email}
        if name in made:
            return made[name]()
        return (
            self.code("%%-####")
            if name == "ref"
            else str(self.rng.randint(1, 9) if name == "digit" else self.rng.randint(11, 98))
        )


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.lower()).encode("ascii", "ignore").decode()
    return "".join(sign for sign in plain if sign.isalnum() or sign in ".")
