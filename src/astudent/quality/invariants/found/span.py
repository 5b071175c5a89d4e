"""Which equations follow from others: those that are sums of them."""

import dataclasses

import numpy as np

from astudent.quality.invariants.found.relation import Path, Relation
from astudent.quality.invariants.found.terms import Constant, Factor, Grouped, Pick, Picked, Product, Term

NOTHING_LEFT = 1e-6
MAX_TERMS = 2_000


class Span:
    """The equations taken so far, as vectors over their terms."""

    def __init__(self) -> None:
        self._places: dict[Term, int] = {}
        self._basis: list[np.ndarray] = []

    def take(self, relation: Relation, within: Path, pick: Pick = "sum") -> bool:
        """Takes the equation in unless it follows from those taken; False where it does.

        An equation of elements counts for their totals (or first, or last ones) in the objects at `within`.
        """
        depth = len(relation.path) - len(within)
        if relation.is_order or depth < 0 or relation.path[: len(within)] != within:
            return False
        vector = np.zeros(MAX_TERMS)
        for sign, term in ((-1, relation.target), *relation.formula.parts):
            for factor, single in _expanded(term):
                vector[self._place(single, relation.path[len(within) :], pick)] += sign * factor
        for known in self._basis:
            vector = vector - (vector @ known) * known
        length = float(np.linalg.norm(vector))
        if length < NOTHING_LEFT:
            return False
        self._basis.append(vector / length)
        return True

    def _place(self, term: Term, arrays: Path, pick: Pick) -> int:
        for array in reversed(arrays):
            term = Picked(array, term, pick)
        # terms beyond the limit share a place: a relation too few is found then, never one too many
        return min(self._places.setdefault(term, len(self._places)), MAX_TERMS - 1)


def _expanded(term: Term) -> list[tuple[float, Term]]:
    """The term without its rounding as a sum of products of plain factors, each with what it is multiplied by."""
    if isinstance(term, Grouped):
        term = term.ungrouped()
    if isinstance(term, Picked) and term.pick == "sum":
        return [(number, dataclasses.replace(term, inner=inner)) for number, inner in _expanded(term.inner)]
    if not isinstance(term, Product):
        return [(1.0, term)]
    sums: list[tuple[float, tuple[Factor, ...]]] = [(1.0, ())]
    for factor in term.factors:
        percent = 0.01 if "%" in factor.form else 1.0
        plain = [(number * percent, (*made, Factor(factor.term))) for number, made in sums]
        if isinstance(factor.term, Constant):
            plain = [(number * float(factor.term.value), made) for number, made in sums]
        minus = -1 if "-" in factor.form else 1
        sums = plain if factor.form[0] == "x" else [*sums, *((minus * number, made) for number, made in plain)]
    return [(number, _product(made)) for number, made in sums]


def _product(made: tuple[Factor, ...]) -> Term:
    return made[0].term if len(made) == 1 else Product(tuple(sorted(made, key=repr)))
