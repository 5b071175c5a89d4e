"""What a schema's own rules say already: of the members that they compute no other relation is told."""

from collections.abc import Iterator

from astudent.quality.invariants.declared import Invariants
from astudent.quality.invariants.found.columns import Json, Key
from astudent.quality.invariants.found.relation import Relation
from astudent.quality.invariants.nodes import (
    Call,
    Comparison,
    Implication,
    Logic,
    Member,
    Node,
    Scope,
    members_of,
    places_of,
)


class DeclaredMembers:
    """The members that declared equations compute, learnt from the values that they apply to."""

    def __init__(self, invariants: Invariants) -> None:
        self._invariants = invariants
        self._computed: set[Key] = set()
        self._together: set[frozenset[Key]] = set()

    def learn(self, value: Json) -> None:
        """Takes in the rules that apply somewhere in the value."""
        for place, scope, rule in self._invariants.applications(value):
            for left, right in _equations(rule.condition) if rule else ():
                sides = [
                    {_general((*place, *found)) for found in _places(scope, members_of(side))} for side in (left, right)
                ]
                self._together.add(frozenset(sides[0] | sides[1]))
                for side, members, others in ((left, *sides), (right, *reversed(sides))):
                    if isinstance(side, Member) and others:
                        self._computed |= members

    def cover(self, relation: Relation) -> bool:
        """Whether a rule computes the relation's target, or is an equation of all its members."""
        members = {_flat(member) for member in relation.members()}
        if not relation.is_order and _flat(relation.target_member()) in self._computed:
            return True
        return any(members <= together for together in self._together)


def _equations(node: Node) -> Iterator[tuple[Node, Node]]:
    """The two sides of each equation that a condition demands, be it only in some rows."""
    if isinstance(node, Implication):
        yield from _equations(node.consequence)
    elif isinstance(node, Logic) and node.is_and:
        yield from (sides for part in node.parts for sides in _equations(part))
    elif isinstance(node, Comparison) and set(node.symbols) == {"=="}:
        yield from zip(node.operands, node.operands[1:], strict=False)
    elif isinstance(node, Call) and node.function == "near":
        yield node.arguments[0], node.arguments[1]


def _places(scope: Scope, members: list[Member]) -> Iterator[tuple[str | int, ...]]:
    return (found for member in members for found in places_of(scope, member.steps))


def _general(place: tuple[str | int, ...]) -> Key:
    """A place with `[]` for the number of an element."""
    return tuple("[]" if isinstance(step, int) else step for step in place)


def _flat(member: tuple[Key, ...]) -> Key:
    """A relation's member, whose keys lead through one array each, as a place of that form."""
    first, *others = member or ((),)
    return (*first, *(step for key in others for step in ("[]", *key)))
