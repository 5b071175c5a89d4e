"""Leaf values of a document that its text does not support: what an extraction made up.

Judged are numbers, dates, times, e-mail addresses, phone numbers, identifiers and free texts. Left alone: booleans,
null, values that the schema enumerates, fixes or gives as default, and two-letter codes. A value that a declared
invariant computes from supported ones is supported. In doubt a value counts as supported: signs, a date without its
year, "2" for 14:00, and days told in words ("next Monday") are not held against it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from astudent.quality.invariants import Breach, Invariants, compile_invariants
from astudent.quality.invariants.breach import pointer
from astudent.quality.invariants.declared import Rule
from astudent.quality.invariants.nodes import (
    Call,
    Comparison,
    Implication,
    Member,
    Node,
    NotApplicableError,
    Place,
    Scope,
    members_of,
    places_of,
)
from astudent.quality.invariants.operations import truth
from astudent.quality.invariants.values import BadValueError
from astudent.quality.leaf_schemas import LeafSchemas
from astudent.quality.source_text import Source

MAX_LEAVES = 2_000
MAX_TEXT = 200_000  # characters; of a longer text only its beginning is read
MAX_ROUNDS = 10  # of invariants that compute from computed values
COUNTING = frozenset({"len", "count"})  # functions that say nothing about the elements
INEXACT = frozenset({"round", "min", "max", "abs"})  # functions that many arguments give the same value
Json = Any


def ungrounded(value: Json, text: str, schema: Json, language: str) -> list[Breach]:
    """The leaves that the text does not support, in the value's order. RunError for a schema that cannot be used."""
    return Grounding(schema).ungrounded(value, text, language)


class Grounding:
    """The check for one schema, ready for many rows."""

    def __init__(self, schema: Json, invariants: Invariants | None = None) -> None:
        self._schemas = LeafSchemas(schema)
        self._invariants = compile_invariants(schema) if invariants is None else invariants

    def ungrounded(self, value: Json, text: str, language: str) -> list[Breach]:
        """The leaves that the text does not support; `language` is en or fr."""
        source = Source(text[:MAX_TEXT], language)
        open_leaves = {
            leaf.place: leaf.value
            for leaf in _leaves(value)
            if not self._schemas.gives(leaf.place, leaf.value) and not source.supports(leaf.value)
        }
        if open_leaves:
            self._close(open_leaves, value)
        return [
            Breach(pointer(place), "ungrounded", str(leaf)[:120], "a value that the text states")
            for place, leaf in open_leaves.items()
        ]

    def _close(self, open_leaves: dict[Place, Json], value: Json) -> None:
        """Takes out the leaves that equations determine: those that are the only open one of an equation that holds."""
        equations = [
            _Equation(
                {(*place, *found) for found in _places(scope, members_of(part, outside=COUNTING))},
                {(*place, *found) for found in _places(scope, _determined(part))},
            )
            for place, scope, rule in self._invariants.applications(value)
            if rule is not None
            for part in _equations(rule, scope)
        ]
        for _ in range(MAX_ROUNDS):
            alone = [
                next(iter(open_))
                for equation in equations
                if len(open_ := equation.places & open_leaves.keys()) == 1 and open_ <= equation.determined
            ]
            if not alone:
                return
            for place in alone:
                open_leaves.pop(place, None)


@dataclass(frozen=True, slots=True)
class _Equation:
    """The places of the members that an equation is about, and of those that the others determine."""

    places: set[Place]
    determined: set[Place]


def _places(scope: Scope, members: list[Member]) -> Iterator[Place]:
    return (found for member in members for found in places_of(scope, member.steps))


def _determined(equation: Node) -> list[Member]:
    """The members that only one value satisfies: of near, which allows a margin, those that stand alone."""
    if isinstance(equation, Call):
        return [argument for argument in equation.arguments[:2] if isinstance(argument, Member)]
    return members_of(equation, outside=COUNTING | INEXACT)


def _equations(rule: Rule, scope: Scope) -> list[Node]:
    """The rule, or what it implies here, if it is an equation that holds."""
    node = rule.condition
    try:
        if isinstance(node, Implication) and truth(node.condition.evaluate(scope)):
            node = node.consequence
        is_equation = isinstance(node, Comparison) and set(node.symbols) == {"=="}
        is_near = isinstance(node, Call) and node.function == "near"
        return [node] if (is_equation or is_near) and truth(node.evaluate(scope)) else []
    except (NotApplicableError, BadValueError):
        return []


@dataclass(frozen=True, slots=True)
class _Leaf:
    place: Place
    value: Json


def _leaves(value: Json) -> Iterator[_Leaf]:
    """The scalars of a value that are judged at all, at most MAX_LEAVES, in order."""
    pending: list[tuple[Place, Json]] = [((), value)]
    left = MAX_LEAVES
    while pending and left:
        place, node = pending.pop()
        left -= 1
        if isinstance(node, dict):
            pending += reversed([((*place, key), item) for key, item in node.items()])
        elif isinstance(node, list):
            pending += reversed([((*place, index), item) for index, item in enumerate(node)])
        elif node is not None and not isinstance(node, bool) and node != "":
            yield _Leaf(place, node)
