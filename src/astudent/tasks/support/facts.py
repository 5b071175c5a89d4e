"""What a customer knows and may say: an order, a product, a sum; and which of it was in fact said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from astudent.language.realisation_grammar import protect
from astudent.records import Language
from astudent.tasks.support import draws, templates, words
from astudent.tasks.support.draws import Person

# A template may hold these only where they are known; every other slot always has a text.
_STRICT = {"order_id": "order_id", "model": "product", "amount": "amount", "email": "email", "address": "address"}


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
    said: set[str] = field(default_factory=set[str])
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
        """A slot's text; KeyError for a slot that no template may hold."""
        fact = _STRICT.get(slot)
        if fact is not None:
            self.said.add(fact)
            return protect(self._amount() if slot == "amount" else str(getattr(self, fact)))
        copied = self._copied().get(slot)
        return protect(copied()) if copied else self._own_words()[slot]()

    def _own_words(self) -> dict[str, Callable[[], str]]:
        """Slots with text that may be misspelt; `e`, `il`, `le` agree with the product, `me` with the writer."""
        feminine = self.thing.feminine and not (self.generic and self.product is None)
        return {
            "order": self._order,
            "product": self._product,
            "the_product": self._the_product,
            "of_the_product": self._of_the_product,
            "e": lambda: "e" * feminine,
            "il": lambda: "elle" if feminine else "il",
            "le": lambda: "la" if feminine else "le",
            "me": lambda: "e" * self.person.woman,
            "weekday": lambda: self.rng.choice(words.WEEKDAYS[self.language]),
            "days": lambda: str(self.rng.randint(2, 9)),
        }

    def _copied(self) -> dict[str, Callable[[], str]]:
        """Slots with text that is copied letter by letter; none of it is in the answer."""
        return {
            "date": lambda: draws.day(self.language, self.rng),
            "city": lambda: self.rng.choice(words.CITIES[self.language]),
            "name": lambda: self.rng.choice(words.WOMEN[self.language]),
            "full_name": lambda: f"{self.person.name} {self.person.surname}",
            "phone": lambda: draws.phone(self.language, self.rng),
            "customer": lambda: f"C{self.rng.randint(100000, 999999)}",
            "ticket": lambda: str(self.rng.randint(10000, 99999)),
            "other_order": lambda: draws.order_id(self.rng),
            "other_amount": lambda: draws.money(*draws.sum_of_money(self.language, self.rng), self.language, self.rng),
        }

    def _amount(self) -> str:
        assert self.amount is not None and self.currency is not None
        return draws.money(self.amount, self.currency, self.language, self.rng)

    def _order(self) -> str:
        """ "order CW-73256" or, without its number, "my last order"."""
        if self.order_phrases:
            return self.rng.choice(self.order_phrases)
        if self.order_id is None or (self.rng.random() < 0.25 and "order_id" not in self.said):
            return self.rng.choice(words.ORDERS[self.language])
        self.said.add("order_id")
        return self.rng.choice(words.NUMBERED_ORDERS[self.language]).format(protect(self.order_id))

    def _product(self) -> str:
        mine = f"my {self.thing.english}" if self.language == "en" else self.thing.my()
        return self._with_model(mine, {"en": "my device", "fr": "mon appareil"}[self.language])

    def _the_product(self) -> str:
        the = f"the {self.thing.english}" if self.language == "en" else self.thing.the()
        generic = {"en": "the model on your home page", "fr": "le modèle de votre page d'accueil"}
        return self._with_model(the, generic[self.language])

    def _of_the_product(self) -> str:
        """French only: "de la lampe", "du casque", "de l'écran"."""
        the = self._the_product()
        return f"du {the[3:]}" if the.startswith("le ") else f"de {the}"

    def _with_model(self, noun: str, generic: str) -> str:
        """ "my lamp", and with a model "my Lumo X2 lamp", "my Lumo X2", "ma lampe Lumo X2"."""
        if self.product is None:
            return generic if self.generic else noun
        self.said.add("product")
        model = protect(self.product)
        if self.language == "fr":
            return f"{noun} {model}"
        article, _, kind = noun.partition(" ")
        return f"{article} {model} {kind}" if self.rng.random() < 0.6 else f"{article} {model}"
