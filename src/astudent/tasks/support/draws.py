"""People, order numbers, models, sums, dates and addresses, drawn at random and written as each language writes them."""

from dataclasses import dataclass
from random import Random

from astudent.language.realisation_values import MONTHS
from astudent.records import Language
from astudent.tasks.support import words

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
_CURRENCY_WORDS = {
    "en": {"EUR": "euros", "USD": "dollars", "GBP": "pounds"},
    "fr": {"EUR": "euros", "USD": "dollars", "GBP": "livres"},
}
_CURRENCY_WEIGHTS = {"en": [4, 3, 3], "fr": [8, 1, 1]}


@dataclass(frozen=True)
class Person:
    """Who writes."""

    name: str
    surname: str
    woman: bool

    @classmethod
    def draw(cls, language: Language, rng: Random) -> "Person":
        woman = rng.random() < 0.5
        name = rng.choice((words.WOMEN if woman else words.MEN)[language])
        return cls(name, rng.choice(words.SURNAMES[language]), woman)


def order_id(rng: Random) -> str:
    """An order number, "CW-73256"; no letters that are read as digits."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return f"{rng.choice(letters)}{rng.choice(letters)}-{rng.randint(10000, 99999)}"


def model(rng: Random) -> str:
    """A product's model, "Lumo X2"."""
    code = f"{rng.choice(['', '', 'X', 'S', 'T', 'V'])}{rng.choice([rng.randint(1, 9), rng.randint(1, 99) * 10])}"
    return f"{rng.choice(words.MODEL_STARTS)}{rng.choice(words.MODEL_ENDS)} {code}"


def sum_of_money(language: Language, rng: Random) -> tuple[float, str]:
    """An amount with the endings that prices have, and its currency."""
    whole = rng.choice([rng.randint(5, 99), rng.randint(100, 999), rng.randint(5, 300)])
    if rng.random() < 0.05:
        whole = rng.randint(1000, 2999)
    cents = rng.choice([0, 0, 90, 99, 50, 95, rng.randint(1, 99)])
    return round(whole + cents / 100, 2), rng.choices(list(_SIGNS), _CURRENCY_WEIGHTS[language])[0]


def money(amount: float, currency: str, language: Language, rng: Random) -> str:
    """€1,249.90, 45.90 euros; in French 1 249,90 €, 45,90 euros."""
    number = f"{amount:,.2f}".removesuffix(".00")
    name = _CURRENCY_WORDS[language][currency]
    if language == "fr":
        number = number.replace(",", " ").replace(".", ",")
        return f"{number} {rng.choice([_SIGNS[currency], _SIGNS[currency], name, currency])}"
    return rng.choice(
        [f"{_SIGNS[currency]}{number}", f"{_SIGNS[currency]}{number}", f"{number} {name}", f"{currency} {number}"]
    )


def day(language: Language, rng: Random) -> str:
    """A date without its year: "3 May", "May 3", "1er mai"."""
    number, month = rng.randint(1, 28), rng.choice(MONTHS[language])
    if language == "fr":
        return f"{'1er' if number == 1 else number} {month}"
    return rng.choice([f"{number} {month}", f"{month} {number}"])


def email(person: Person, rng: Random) -> str:
    """An address in a domain that is nobody's."""
    plain = str.maketrans("éèêëîïôç", "eeeeiioc")
    name, surname = (part.lower().translate(plain) for part in (person.name, person.surname))
    user = rng.choice([f"{name}.{surname}", f"{name}{rng.randint(1, 99)}", f"{name[0]}{surname}", f"{surname}.{name}"])
    return f"{user}@example.{rng.choice(['org', 'com', 'net'])}"


def address(language: Language, rng: Random) -> str:
    """12 Mill Lane, Leeds; 12 rue des Lilas, Lyon."""
    number, street = rng.randint(1, 120), rng.choice(words.STREETS[language])
    return f"{number} {street}, {rng.choice(words.CITIES[language])}"


def phone(language: Language, rng: Random) -> str:
    """A number of the ranges that are kept free for fiction."""
    if language == "en":
        return f"07700 900{rng.randint(0, 999):03d}"
    return f"06 39 98 {rng.randint(0, 99):02d} {rng.randint(0, 99):02d}"
