"""What a customer knows and may say: an order, a product, a sum; and which of it was in fact said."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from astudent.language.realisation_grammar import protect
from astudent.language.realisation_values import MONTHS
from astudent.records import Language
from astudent.tasks.support import templates, words

# A template may hold these only where they are known; every other slot always has a text.
_STRICT = {"order_id": "order_id", "model": "product", "amount": "amount", "email": "email", "address": "address"}
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


@dataclass
class Facts:
    """One customer's facts in one language. `said` gathers the facts that a rendered text has in fact stated.

    `order_phrases` overrides how the order is spoken of. An attribute that is None is not known to the customer.
    """

    language: Language
    rng: Random
    person: Person
    order_id: str | None = None
    product: str | None = None
    amount: float | None = None
    currency: str | None = None
    email: str | None = None
    address: str | None = None
    order_phrases: list[str] | None = None
    said: set[str] = field(default_factory=set)
    thing: words.Thing = words.THINGS[0]
    generic: bool = False  # "my device" where the model is not known, else "my lamp"

    def render(self, template: str) -> str:
        """A text of the template in this customer's words."""
        return templates.render(template, self._value, self._knows, self.rng)

    def can_say(self, template: str) -> bool:
        """Whether every slot that the template needs is known."""
        return all(map(self._knows, templates.needed(template)))

    def _knows(self, slot: str) -> bool:
        return slot not in _STRICT or getattr(self, _STRICT[slot]) is not None

    def _value(self, slot: str) -> str:
        fact = _STRICT.get(slot)
        if fact is not None:
            self.said.add(fact)
            return protect(self.amount_text() if slot == "amount" else str(getattr(self, fact)))
        return getattr(self, f"_slot_{slot}")()

    def amount_text(self) -> str:
        """The sum in this language's notation."""
        assert self.amount is not None and self.currency is not None
        return money(self.amount, self.currency, self.language, self.rng)

    def _slot_order(self) -> str:
        if self.order_phrases:
            return self.rng.choice(self.order_phrases)
        if self.order_id is None or (self.rng.random() < 0.25 and "order_id" not in self.said):
            return self.rng.choice(words.ORDERS[self.language])
        self.said.add("order_id")
        return self.rng.choice(words.NUMBERED_ORDERS[self.language]).format(protect(self.order_id))

    def _slot_product(self) -> str:
        mine = f"my {self.thing.english}" if self.language == "en" else self.thing.my()
        generic = {"en": "my device", "fr": "mon appareil"}[self.language]
        return self._product_phrase(mine, generic)

    def _slot_the_product(self) -> str:
        the = f"the {self.thing.english}" if self.language == "en" else self.thing.the()
        generic = {"en": "the model on your home page", "fr": "le modèle de votre page d'accueil"}[self.language]
        return self._product_phrase(the, generic)

    def _slot_of_the_product(self) -> str:
        """French only: "de la lampe", "du casque", "de l'écran"."""
        the = self._slot_the_product()
        return f"du {the[3:]}" if the.startswith("le ") else f"de {the}"

    def _product_phrase(self, noun: str, generic: str) -> str:
        """ "my lamp", and with a model "my Lumo X2 lamp", "ma lampe Lumo X2"."""
        if self.product is None:
            return generic if self.generic else noun
        self.said.add("product")
        model = protect(self.product)
        if self.language == "fr":
            return f"{noun} {model}"
        article, _, kind = noun.partition(" ")
        return f"{article} {model} {kind}" if self.rng.random() < 0.6 else f"{article} {model}"

    @property
    def _feminine(self) -> bool:
        return self.thing.feminine and not (self.generic and self.product is None)

    def _slot_e(self) -> str:
        return "e" if self._feminine else ""

    def _slot_il(self) -> str:
        return "elle" if self._feminine else "il"

    def _slot_le(self) -> str:
        return "la" if self._feminine else "le"

    def _slot_me(self) -> str:
        return "e" if self.person.woman else ""

    def _slot_date(self) -> str:
        return protect(day(self.language, self.rng))

    def _slot_weekday(self) -> str:
        return self.rng.choice(words.WEEKDAYS[self.language])

    def _slot_city(self) -> str:
        return protect(self.rng.choice(words.CITIES[self.language]))

    def _slot_days(self) -> str:
        return str(self.rng.randint(2, 9))

    def _slot_name(self) -> str:
        return protect(self.rng.choice(words.WOMEN[self.language]))

    def _slot_full_name(self) -> str:
        return protect(f"{self.person.name} {self.person.surname}")

    def _slot_phone(self) -> str:
        # both ranges are kept free for fiction
        if self.language == "en":
            return protect(f"07700 900{self.rng.randint(0, 999):03d}")
        return protect(f"06 39 98 {self.rng.randint(0, 99):02d} {self.rng.randint(0, 99):02d}")

    def _slot_customer(self) -> str:
        return protect(f"C{self.rng.randint(100000, 999999)}")

    def _slot_ticket(self) -> str:
        return protect(str(self.rng.randint(10000, 99999)))

    def _slot_other_order(self) -> str:
        return protect(order_id(self.rng))

    def _slot_other_amount(self) -> str:
        value: dict[str, Any] = draw_money(self.language, self.rng)
        return protect(money(value["amount"], value["currency"], self.language, self.rng))


def order_id(rng: Random) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return f"{rng.choice(letters)}{rng.choice(letters)}-{rng.randint(10000, 99999)}"


def model(rng: Random) -> str:
    """A product's model, "Lumo X2"."""
    code = f"{rng.choice(['', '', 'X', 'S', 'T', 'V'])}{rng.choice([rng.randint(1, 9), rng.randint(1, 99) * 10])}"
    return f"{rng.choice(words.MODEL_STARTS)}{rng.choice(words.MODEL_ENDS)} {code}"


def draw_money(language: Language, rng: Random) -> dict[str, Any]:
    """`amount` and `currency`, with the endings that prices have."""
    whole = rng.choice([rng.randint(5, 99), rng.randint(100, 999), rng.randint(5, 300)])
    if rng.random() < 0.05:
        whole = rng.randint(1000, 2999)
    cents = rng.choice([0, 0, 90, 99, 50, 95, rng.randint(1, 99)])
    currency = rng.choices(list(_SIGNS), _CURRENCY_WEIGHTS[language])[0]
    return {"amount": round(whole + cents / 100, 2), "currency": currency}


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
