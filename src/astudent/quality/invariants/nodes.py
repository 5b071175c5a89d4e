"""The parts of a parsed rule: each evaluates itself on the members of one object, and says why it fails there."""

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

from astudent.quality.invariants.functions import FUNCTIONS, EmptyError
from astudent.quality.invariants.operations import arithmetic, comparison, each, truth
from astudent.quality.invariants.values import BadValueError, Json, Value, rule_value, shown

MAX_LISTS = 8  # arrays in arrays on one path
Scope = dict[str, Json]
Place = tuple[str | int, ...]


class NotApplicableError(Exception):
    """The rule mentions a member that is missing or null: it says nothing about this object."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a condition does not hold, and the place of the member that it is about."""

    found: str
    expected: str
    place: Place = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a rule; `source` is its text."""

    source: str

    def evaluate(self, scope: Scope) -> Value:
        """The part's value. NotApplicableError: a member is missing; BadValueError: wrong types."""
        raise NotImplementedError

    def failure(self, scope: Scope) -> Failure:
        """Why the part, a condition that does not hold, does not."""
        return Failure(f"not {self.source}", self.source)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, text, true, false or null."""

    value: Value

    def evaluate(self, scope: Scope) -> Value:
        return self.value


@dataclass(frozen=True, slots=True)
class Member(Node):
    """A member of the object by its steps; through an array, the list of its elements' values."""

    steps: tuple[str, ...]

    def evaluate(self, scope: Scope) -> Value:
        return _resolved(scope, self.steps, MAX_LISTS)

    def is_present(self, scope: Scope) -> bool:
        """Whether the member is there and not null; through an array, in all its elements."""
        try:
            self.evaluate(scope)
        except NotApplicableError:
            return False
        return True

    def place(self, scope: Scope, index: int | None) -> Place:
        """Where the member stands; of a list that comes from one array, element `index` of it."""
        place: list[str | int] = []
        node: Json = scope
        for step in self.steps:
            if isinstance(node, list):
                if index is None or index >= len(node):
                    return tuple(place)
                place.append(index)
                node = node[index]
            place.append(step)
            node = node.get(step) if isinstance(node, dict) else None
        return (*place, index) if isinstance(node, list) and index is not None else tuple(place)


def _resolved(value: Json, steps: tuple[str, ...], lists: int) -> Value:
    if value is None:
        raise NotApplicableError
    if isinstance(value, list):
        if not lists:
            raise BadValueError(f"more than {MAX_LISTS} arrays in one another")
        return [_resolved(item, steps, lists - 1) for item in value]
    if not steps:
        return rule_value(value)
    if not isinstance(value, dict) or steps[0] not in value:
        raise NotApplicableError
    return _resolved(value[steps[0]], steps[1:], lists)


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """left + - * / right."""

    left: Node
    symbol: str
    right: Node

    def evaluate(self, scope: Scope) -> Value:
        return each(arithmetic(self.symbol), self.left.evaluate(scope), self.right.evaluate(scope))


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """a < b <= c: each neighbouring pair compares; on lists the value is a list of booleans."""

    operands: tuple[Node, ...]
    symbols: tuple[str, ...]

    def evaluate(self, scope: Scope) -> Value:
        values = [operand.evaluate(scope) for operand in self.operands]
        return functools.reduce(lambda one, other: each(lambda a, b: a and b, one, other), self._results(values))

    def _results(self, values: list[Value]) -> list[Value]:
        pairs = zip(self.symbols, values, values[1:], strict=False)
        return [each(comparison(symbol), one, other) for symbol, one, other in pairs]

    def failure(self, scope: Scope) -> Failure:
        values = [operand.evaluate(scope) for operand in self.operands]
        results = self._results(values)
        wrong = next(number for number, result in enumerate(results) if not truth(result))
        index = (
            next((i for i, r in enumerate(results[wrong]) if not truth(r)), None) if _listed(results[wrong]) else None
        )
        left, right = self.operands[wrong], self.operands[wrong + 1]
        symbol = "" if self.symbols[wrong] == "==" else self.symbols[wrong] + " "
        place = left.place(scope, index) if isinstance(left, Member) else ()
        return Failure(_named(left, values[wrong], index), symbol + _named(right, values[wrong + 1], index), place)


def _listed(value: Value) -> bool:
    return isinstance(value, list)


def _named(node: Node, value: Value, index: int | None) -> str:
    """`total = 12.35`, of a list's element `items.total[2] = 12.35`; a literal is its own value."""
    if isinstance(node, Literal):
        return node.source
    if isinstance(value, list) and index is not None:
        return f"{node.source}[{index}] = {shown(value[index])}"
    return f"{node.source} = {shown(value)}"


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`and` or `or` of several conditions. All are evaluated, so that a missing member anywhere counts."""

    parts: tuple[Node, ...]
    is_and: bool

    def evaluate(self, scope: Scope) -> Value:
        values = [truth(part.evaluate(scope)) for part in self.parts]
        return all(values) if self.is_and else any(values)

    def failure(self, scope: Scope) -> Failure:
        if self.is_and:
            return next(part.failure(scope) for part in self.parts if not truth(part.evaluate(scope)))
        first = self.parts[0].failure(scope)
        return Failure(first.found, self.source, first.place)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """not condition."""

    part: Node

    def evaluate(self, scope: Scope) -> Value:
        return not truth(self.part.evaluate(scope))


@dataclass(frozen=True, slots=True)
class Present(Node):
    """Whether a member is there and not null; never inapplicable."""

    member: Member

    def evaluate(self, scope: Scope) -> Value:
        return self.member.is_present(scope)

    def failure(self, scope: Scope) -> Failure:
        return Failure(f"{self.member.source} missing", self.source)


@dataclass(frozen=True, slots=True)
class Implication(Node):
    """implies(condition, consequence); a condition that mentions a missing member does not hold."""

    condition: Node
    consequence: Node

    def evaluate(self, scope: Scope) -> Value:
        try:
            holds = truth(self.condition.evaluate(scope))
        except NotApplicableError:
            return True
        return not holds or truth(self.consequence.evaluate(scope))

    def failure(self, scope: Scope) -> Failure:
        inner = self.consequence.failure(scope)
        return Failure(f"{inner.found} where {self.condition.source}", inner.expected, inner.place)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """One of FUNCTIONS on evaluated arguments."""

    function: str
    arguments: tuple[Node, ...]

    def evaluate(self, scope: Scope) -> Value:
        try:
            return FUNCTIONS[self.function].run(*[argument.evaluate(scope) for argument in self.arguments])
        except EmptyError:
            raise NotApplicableError from None

    def failure(self, scope: Scope) -> Failure:
        first: Any = self.arguments[0]
        place = first.place(scope, None) if isinstance(first, Member) else ()
        found = _named(first, first.evaluate(scope), None)
        if self.function != "near":
            return Failure(found, self.source, place)
        other, tolerance = self.arguments[1:]
        return Failure(found, f"{_named(other, other.evaluate(scope), None)} within {tolerance.source}", place)


def members_of(node: Node, outside: frozenset[str] = frozenset()) -> list[Member]:
    """All members that a rule mentions; those within a call of one of the functions `outside` are left out."""
    if isinstance(node, Member):
        return [node]
    if isinstance(node, Call) and node.function in outside:
        return []
    inner = [getattr(node, field.name) for field in dataclasses.fields(node)]
    parts = [part for value in inner for part in (value if isinstance(value, tuple) else (value,))]
    return [member for part in parts if isinstance(part, Node) for member in members_of(part, outside)]


def places_of(value: Json, steps: tuple[str, ...]) -> list[Place]:
    """Where a member stands in an object: one place, or one for each element of the arrays on its path."""
    if isinstance(value, list):
        return [(index, *rest) for index, item in enumerate(value) for rest in places_of(item, steps)]
    if not steps:
        return [()]
    if not isinstance(value, dict) or steps[0] not in value:
        return []
    return [(steps[0], *rest) for rest in places_of(value[steps[0]], steps[1:])]
