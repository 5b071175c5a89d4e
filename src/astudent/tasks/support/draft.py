"""A message while it is composed: its parts in order, and the answer that follows from what was put into it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from astudent.language.realisation_grammar import strip_marks
from astudent.language.serialise import plain_numbers
from astudent.records import Language
from astudent.tasks.support import draws, phrases, words
from astudent.tasks.support.facts import Facts
from astudent.tasks.support.schema import NEEDS
from astudent.tasks.support.spelling import careless, typeset
from astudent.tasks.support.templates import continued, sentence

OTHER_LANGUAGE: dict[Language, Language] = {"en": "fr", "fr": "en"}
# A reason that points back ("It is the wrong size") can only follow the request.
_POINTS_BACK = re.compile(r"\b(it|its|that|happens|elle|en|le permet|que prévu)\b|\bl'|\b(c'|ce n'|cel)", re.IGNORECASE)
_ORDER_IS_LIKELY = ("technical", "complaint", "address", "billing")
_PRODUCT_IS_LIKELY = ("refund", "cancellation", "delivery", "invoice")


@dataclass
class Draft:
    """What a message is made of; `for_test` says that held-out phrasings may and held-out trap forms must be used.

    Parts are rendered when they are put in, so `facts.said` tells what the message states about the main request.
    """

    language: Language
    intent: str
    rng: Random
    for_test: bool
    facts: Facts
    held_out: bool  # whether the request itself is worded as in no training row
    greeting: str = ""
    before: list[str] = field(default_factory=list[str])
    ask: str = ""
    after: list[str] = field(default_factory=list[str])
    closing: str = ""
    below: str = ""
    other_intents: list[str] = field(default_factory=list[str])
    urgency: str = "normal"
    human: bool = False
    side_language: Language | None = None  # of the sentences around the request
    used: set[str] = field(default_factory=set[str])  # templates, so that nothing is said twice

    @classmethod
    def start(cls, language: Language, intent: str, rng: Random, for_test: bool, all_needed: bool = True) -> "Draft":
        """A draft with its writer and facts but nothing said; `all_needed`: the customer knows what `intent` needs."""
        facts = draw_facts(language, intent, rng, all_needed)
        return cls(language, intent, rng, for_test, facts, held_out=for_test and rng.random() < 0.5)

    def write(self) -> None:
        """The plain message: greeting, request with what it needs, reasons, urgency, closing."""
        self.ask = sentence(self.request(self.intent, self.facts))
        self._state_what_is_known()
        self._give_reasons()
        self._press()
        self._greet()

    def request(self, intent: str, facts: Facts) -> str:
        """A request for `intent`, as `facts` can say it."""
        asks = phrases.asks(self.language, intent)
        return self.pick(asks.held_out if self.held_out else asks.trained, facts)

    def pick(self, templates: Sequence[str], facts: Facts | None = None) -> str:
        """One of the templates whose facts are known, rendered."""
        facts = facts or self.facts
        possible = [line for line in templates if facts.can_say(line)]
        template = self.rng.choice([line for line in possible if line not in self.used] or possible)
        self.used.add(template)
        return facts.render(template)

    def frame(self, name: str, file: str = "frames") -> str:
        """A sentence around the request, in the side language where there is one; any wording in test rows."""
        facts = self.facts
        if self.side_language is not None:
            facts = replace(facts, language=self.side_language)  # shares `said`
        lines = phrases.section(facts.language, file, name)
        return sentence(self.pick(lines.all if self.for_test else lines.trained, facts))

    def form(self, name: str) -> str:
        """A trap's sentence: in test rows always one that no training row has."""
        lines = phrases.section(self.language, "traps", name)
        return sentence(self.pick(lines.held_out if self.for_test else lines.trained))

    def aside(self, intent: str, order_phrases: list[str] | None = None) -> Facts:
        """Facts of another request of the same person; they do not count for the main one."""
        facts = draw_facts(self.language, intent, self.rng, all_needed=True)
        return replace(facts, person=self.facts.person, order_phrases=order_phrases)

    def answer(self) -> dict[str, Any]:
        """The right answer, in the schema's order of keys."""
        said = self.facts.said
        with_amount = "amount" in said and self.intent in ("refund", "billing")
        answer = {
            "intent": self.intent,
            "other_intents": self.other_intents,
            "order_id": self.facts.order_id if "order_id" in said else None,
            "product": self.facts.product if "product" in said else None,
            "amount": self.facts.amount if with_amount else None,
            "currency": self.facts.currency if with_amount else None,
            "urgency": self.urgency,
            "human": self.human,
            "missing": [need for need in NEEDS[self.intent] if need not in said],
        }
        return plain_numbers(answer)

    def text(self) -> str:
        """The message with its copied spans still marked."""
        gap = self.rng.choice([" ", " ", "\n"])
        body = gap.join(part for part in [*self.before, self.ask, *self.after] if part)
        lines = self.rng.choice([" ", "\n", "\n\n"])
        if lines == " " and self.greeting.endswith(","):
            body = continued(body)
        head = f"{self.greeting}{lines}" if self.greeting else ""
        return f"{head}{body}{lines + self.closing if self.closing else ''}{self.below}"

    def finished(self) -> str:
        """The message as it is sent."""
        text = self.text()
        if self.language == "fr" and self.rng.random() < 0.25:
            text = typeset(text)
        elif self.rng.random() < 0.06:
            text = careless(text)
        return strip_marks(text)

    def _state_what_is_known(self) -> None:
        known = {name for name in ("order_id", "product", "amount", "email", "address") if getattr(self.facts, name)}
        needed = [name for name in NEEDS[self.intent] if name in known - self.facts.said]
        if self.intent in _ORDER_IS_LIKELY and "order_id" in known - self.facts.said and self.rng.random() < 0.5:
            needed.append("order_id")
        for name in needed:
            self.after.append(self.frame(f"state.{name.removesuffix('_id')}"))

    def _give_reasons(self) -> None:
        for _ in range(self.rng.choice([0, 0, 1, 1, 1, 2])):
            reason = self.frame(self.intent, "reasons")
            back = _POINTS_BACK.search(reason) or self.rng.random() < 0.4
            target = self.after if back else self.before
            target.append(reason)

    def _press(self) -> None:
        self.urgency = self.rng.choices(["normal", "high", "low"], [78, 15, 7])[0]
        if self.urgency != "normal":
            line = self.frame("urgent" if self.urgency == "high" else "no_hurry")
            (self.before if self.rng.random() < 0.15 else self.after).append(line)
        if self.rng.random() < 0.12:
            self.human = True
            self.after.append(self.frame("human"))

    def _greet(self) -> None:
        if self.rng.random() < 0.75:
            self.greeting = self.frame("greeting")
        if self.rng.random() < 0.25:
            self.before.insert(0, self.frame("opening"))
        if self.rng.random() < 0.75:
            self.closing = self._signed(self.frame("closing"))

    def _signed(self, closing: str) -> str:
        person = self.facts.person
        name = self.rng.choice(["", person.name, f"{person.name} {person.surname}"])
        if not name:
            return closing
        return f"{closing}{self.rng.choice([chr(10), ' ' if closing[-1] in '.!' else ', '])}{name}"


def draw_facts(language: Language, intent: str, rng: Random, all_needed: bool) -> Facts:
    """What a customer with this intent knows. With `all_needed` nothing that the intent needs is wanting."""
    person = draws.Person.draw(language, rng)
    amount, currency = draws.sum_of_money(language, rng)
    values = {
        "order_id": draws.order_id(rng),
        "product": draws.model(rng),
        "amount": amount,
        "email": draws.email(person, rng),
        "address": draws.address(language, rng),
    }
    known = _what_is_known(intent, rng, all_needed)
    facts = Facts(language, rng, person, currency=currency, thing=rng.choice(words.THINGS), generic=rng.random() < 0.4)
    return replace(facts, **{name: value for name, value in values.items() if name in known})


def _what_is_known(intent: str, rng: Random, all_needed: bool) -> set[str]:
    known = set(NEEDS[intent]) if all_needed else {need for need in NEEDS[intent] if rng.random() < 0.4}
    likely = {"amount": ("refund",), "order_id": _ORDER_IS_LIKELY, "product": _PRODUCT_IS_LIKELY}
    return known | {name for name, intents in likely.items() if intent in intents and rng.random() < 0.5}
