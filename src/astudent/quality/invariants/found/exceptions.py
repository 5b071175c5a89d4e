"""Objects that seem to break an equation, but have a term of their own: a surcharge that hardly any row knows."""

import numpy as np

from astudent.quality.invariants.found.exact import Exact
from astudent.quality.invariants.found.features import own_columns, totals
from astudent.quality.invariants.found.frame import Frame
from astudent.quality.invariants.found.relation import Outcome, Relation
from astudent.quality.invariants.found.terms import Term

RARE = 0.02  # share of the objects that keep the equation, in which the term may be other than zero


def without_exceptions(relation: Relation, frame: Frame, outcome: Outcome) -> Outcome:
    """The outcome without the objects whose difference is exactly one more member, zero or missing nearly elsewhere."""
    if relation.is_order:
        return outcome
    rest = relation.target.numbers(frame).exact.plus(relation.formula.numbers(frame).exact, -1)
    keeps = outcome.applies & ~outcome.broken
    excused = np.zeros(frame.size, bool)
    for term in _others(relation, frame):
        exact = term.numbers(frame).exact
        is_there = (exact.values != 0).astype(bool)
        if is_there[outcome.broken].any() and is_there[keeps].mean() <= RARE:
            opposite = Exact(-exact.values, exact.decimals)
            excused |= outcome.broken & is_there & (rest.equals(exact) | rest.equals(opposite))
    return Outcome(outcome.applies & ~excused, outcome.broken & ~excused)


def _others(relation: Relation, frame: Frame) -> list[Term]:
    used = set(relation.terms())
    terms: list[Term] = [*own_columns(frame), *(term for array in frame.children for term in totals(frame, array))]
    return [term for term in terms if term not in used]
