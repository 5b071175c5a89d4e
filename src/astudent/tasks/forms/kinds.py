"""The kinds of forms: which cards each has, and the JSON Schema that its answers fit."""

from dataclasses import dataclass
from random import Random
from typing import Any

from astudent.records import Language

Answers = dict[str, str | int | bool]
COUNTS = (1, 2, 3)


@dataclass(frozen=True)
class FormKind:
    """A printed form. `choices` are cards on which one of `options` is ticked, `count` one on which a number is, and
    `ticks` cards with a single box."""

    name: str
    language: Language
    request: str
    options: tuple[str, str, str]
    choices: tuple[str, ...]
    count: str
    ticks: tuple[str, ...]

    @property
    def cards(self) -> tuple[str, ...]:
        """All cards by name, in the schema's order."""
        return (*self.choices, self.count, *self.ticks)

    @property
    def schema(self) -> dict[str, Any]:
        """What an answer fits: every card is a required member."""
        members: dict[str, Any] = {name: {"enum": list(self.options)} for name in self.choices}
        members |= {self.count: {"enum": list(COUNTS)}} | {name: {"type": "boolean"} for name in self.ticks}
        return {
            "type": "object",
            "properties": members,
            "required": list(members),
            "additionalProperties": False,
        }

    def boxes(self, card: str) -> tuple[str | int | bool, ...]:
        """What each box of a card stands for; a tick's only box is true."""
        if card in self.choices:
            return self.options
        return COUNTS if card == self.count else (True,)

    def draw_answers(self, rng: Random) -> Answers:
        """Answers drawn evenly."""
        drawn: Answers = {name: rng.choice(self.options) for name in self.choices}
        drawn[self.count] = rng.choice(COUNTS)
        return drawn | {name: rng.random() < 0.5 for name in self.ticks}


KINDS = (
    FormKind(
        "stay",
        "en",
        "Read this guest's form.",
        ("poor", "fair", "good"),
        ("service", "room", "food"),
        "guests",
        ("wifi", "again"),
    ),
    FormKind(
        "repas",
        "fr",
        "Lis la fiche de ce client.",
        ("bof", "bien", "super"),
        ("accueil", "plats", "cadre"),
        "convives",
        ("dessert", "retour"),
    ),
)
