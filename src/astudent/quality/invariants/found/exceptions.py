"""Objects that seem to break an equation, but are no faults: with a rare surcharge, at a floor of zero, rounded otherwise."""

import dataclasses

import numpy as np

from astudent.quality.invariants.found.exact import Exact
from astudent.quality.invariants.found.features import own_columns, totals
from astudent.quality.invariants.found.frame import Frame, Mask
from astudent.quality.invariants.found.relation import Outcome, Relation
from astudent.quality.invariants.found.roundings import rounding_of, rounding_orders
from astudent.quality.invariants.found.terms import Term

RARE = 0.02  # share of the objects that keep the equation, in which the term may be other than zero
MIXED = 0.05  # of objects that tell two orders of rounding apart, the least share of the rarer one that is no accident


def without_exceptions(relation: Relation, frame: Frame, outcome: Outcome) -> Outcome:
    """The outcome without the objects that break the relation for a reason that is no fault."""
    if relation.is_order:
        return outcome
    excused = _of_rare_terms(relation, frame, outcome)
    excused |= _at_zero(relation, frame, outcome)
    excused |= _rounded_otherwise(relation, frame, outcome)
    return Outcome(outcome.applies & ~excused, outcome.broken & ~excused)


def _of_rare_terms(relation: Relation, frame: Frame, outcome: Outcome) -> Mask:
    """Where the difference is exactly one more member, which is zero or missing nearly elsewhere."""
    rest = relation.target.numbers(frame).exact.plus(relation.formula.numbers(frame).exact, -1)
    keeps = outcome.applies & ~outcome.broken
    excused = np.zeros(frame.size, bool)
    for term in _others(relation, frame):
        exact = term.numbers(frame).exact
        is_there = (exact.values != 0).astype(bool)
        if is_there[outcome.broken].any() and is_there[keeps].mean() <= RARE:
            opposite = Exact(-exact.values, exact.decimals)
            excused |= outcome.broken & is_there & (rest.equals(exact) | rest.equals(opposite))
    return excused


def _at_zero(relation: Relation, frame: Frame, outcome: Outcome) -> Mask:
    """Where the target is 0 instead of less, if it is never less elsewhere: max(accepted - deductible, 0)."""
    target = relation.target.numbers(frame).exact.values
    keeps = outcome.applies & ~outcome.broken
    if (target[keeps] < 0).any():
        return np.zeros(frame.size, bool)
    is_less = (relation.formula.numbers(frame).exact.values < 0).astype(bool)
    return outcome.broken & (target == 0).astype(bool) & is_less


def _rounded_otherwise(relation: Relation, frame: Frame, outcome: Outcome) -> Mask:
    """Where another natural order of rounding explains the deviation.

    Of a wrong cent it does so by chance; then hardly any object speaks for that order, and many against it.
    """
    excused = np.zeros(frame.size, bool)
    rounding = rounding_of(relation.formula)
    for formula in rounding_orders(relation.formula, *rounding) if rounding else ():
        other = dataclasses.replace(relation, formula=formula).outcome(frame)
        holds = other.applies & ~other.broken
        explained, against = outcome.broken & holds, outcome.applies & ~outcome.broken & ~holds
        if explained.sum() >= MIXED * against.sum():
            excused |= explained
    return excused


def _others(relation: Relation, frame: Frame) -> list[Term]:
    used = set(relation.terms())
    terms: list[Term] = [*own_columns(frame), *(term for array in frame.children for term in totals(frame, array))]
    return [term for term in terms if term not in used]
