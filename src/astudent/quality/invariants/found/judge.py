"""Whether a relation says something, in which of its readings it holds best, and how many rows keep it."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from astudent.quality.invariants.found.exact import MODES
from astudent.quality.invariants.found.features import Features, Matrix
from astudent.quality.invariants.found.frame import Frame
from astudent.quality.invariants.found.relation import Relation
from astudent.quality.invariants.found.roundings import rounding_orders
from astudent.quality.invariants.found.terms import Column, Constant, Factor, Picked, Product, Term, has_product

CANDIDATE = 0.93  # share of a block's rows that must keep a relation, for a closer look
WORTH_EXTENDING = 0.85
FEW_ROWS = 40  # below, nothing can be said
FEW_VALUES = 5
MOSTLY = 0.6  # share of one value
FEW_ZEROS, MOST_ZEROS = 3, 0.6
BY_CHANCE = 0.5  # at most this share of objects may keep the relation with another object's target
PRECISE = 20  # a rounded target is worth something when it is mostly this many units


@dataclass(frozen=True, slots=True)
class Judged:
    """A relation in its best reading, with the rows of the block where it applies, and is broken."""

    relation: Relation
    rows: int
    broken: int

    @property
    def share(self) -> float:
        """The share of rows that keep it."""
        return 1 - self.broken / max(1, self.rows)


def judged(relation: Relation, frame: Frame) -> Judged:
    """The relation with its counts in the frame."""
    outcome = relation.outcome(frame)
    return Judged(relation, *outcome.share_of_rows(frame.rows))


def best_reading(relation: Relation, frame: Frame, features: Features) -> Judged:
    """The relation read in the way in which fewest rows break it."""
    best = judged(_requiring(relation, frame), frame)
    for _ in range(3):
        if not best.broken:
            break
        options = [judged(option, frame) for option in _roundings(best.relation, frame)]
        if max(best.share, *(option.share for option in options), 0) >= WORTH_EXTENDING:
            options += [judged(option, frame) for option in _picks(best.relation)]
            options += [judged(option, frame) for option in _extensions(best.relation, frame, features)]
        better = min(options, key=lambda option: option.broken, default=best)
        if better.broken >= best.broken or better.rows < best.rows:
            break
        best = better
    return _without_zeros(best, frame)


def _without_zeros(reading: Judged, frame: Frame) -> Judged:
    """Where most objects that break a product have 0 instead, they are of a kind of their own: tax-free."""
    relation = reading.relation
    if reading.broken < FEW_ZEROS or not any(has_product(term) for _, term in relation.formula.parts):
        return reading
    broken = relation.outcome(frame).broken
    zeros = (relation.target.numbers(frame).exact.values[broken] == 0).astype(bool)
    if zeros.mean() < MOST_ZEROS or zeros.sum() < FEW_ZEROS:
        return reading
    return judged(dataclasses.replace(relation, ignores_zero=True), frame)


def _requiring(relation: Relation, frame: Frame) -> Relation:
    """A term that is missing at times counts as 0 only where the relation then holds."""
    outcome = relation.outcome(frame)
    required: set[Term] = set()
    for _, term in relation.formula.parts:
        missing = outcome.applies & ~term.numbers(frame).present
        if missing.any() and outcome.broken[missing].mean() > 0.1:
            required.add(term)
    if not required:
        return relation
    return dataclasses.replace(relation, formula=dataclasses.replace(relation.formula, required=frozenset(required)))


def places_of(term: Term, frame: Frame) -> int:
    """The decimals that nearly all values of a term keep to."""
    numbers = term.numbers(frame)
    values = numbers.exact.values[numbers.present]
    for places in range(numbers.exact.decimals):
        if np.mean(values % 10 ** (numbers.exact.decimals - places) == 0) >= 0.95:
            return places
    return numbers.exact.decimals


def _roundings(relation: Relation, frame: Frame) -> Iterator[Relation]:
    """Rounded as a whole, term by term, or by groups; half up, half even, or cut off."""
    if any(has_product(term) for _, term in relation.formula.parts):
        places = places_of(relation.target, frame)
        for mode in MODES:
            for formula in rounding_orders(relation.formula, places, mode):
                yield _requiring(dataclasses.replace(relation, formula=formula), frame)


def _picks(relation: Relation) -> Iterator[Relation]:
    """The same with another choice among an array's elements: in arrays of one they are all the same."""
    for number, (sign, term) in enumerate(relation.formula.parts):
        if isinstance(term, Picked) and isinstance(term.inner, Column):
            for pick in ("sum", "first", "last", "min", "max"):
                parts = list(relation.formula.parts)
                parts[number] = (sign, dataclasses.replace(term, pick=pick))
                yield dataclasses.replace(relation, formula=dataclasses.replace(relation.formula, parts=tuple(parts)))


def _extensions(relation: Relation, frame: Frame, features: Features) -> Iterator[Relation]:
    """With one term more, that explains objects where it breaks: a discount that is rare, say."""
    yield from _longer_products(relation, features)
    target, formula = relation.target.numbers(frame), relation.formula.numbers(frame)
    outcome = relation.outcome(frame)
    rest = target.exact.plus(formula.exact, -1)
    if rest.decimals > 6:
        return
    residual = rest.with_decimals(6).values
    used = set(relation.terms())
    for sign in (1, -1):
        gain = ((sign * features.matrix == residual) & outcome.applies).sum(axis=1)
        holds = int((outcome.applies & ~outcome.broken).sum())
        for index in np.flatnonzero(gain > holds):
            term = features.terms[index]
            if term not in used and not features.is_date[index]:
                parts = (*relation.formula.parts, (sign, term))
                yield dataclasses.replace(relation, formula=dataclasses.replace(relation.formula, parts=parts))


def _longer_products(relation: Relation, features: Features) -> Iterator[Relation]:
    """A single product with what is left by, or added by, one more member."""
    parts = relation.formula.parts
    if len(parts) != 1 or not isinstance(parts[0][1], Product) or len(parts[0][1].factors) > 2:
        return
    for index, term in enumerate(features.terms):
        if isinstance(term, Column) and not features.is_date[index] and term != relation.target:
            for form in ("1-x%", "1-x", "1+x%", "1+x"):
                product = dataclasses.replace(parts[0][1], factors=(*parts[0][1].factors, Factor(term, form)))
                formula = dataclasses.replace(relation.formula, parts=((parts[0][0], product),))
                yield dataclasses.replace(relation, formula=formula)


def says_something(relation: Relation, frame: Frame, rng: np.random.Generator) -> bool:
    """Whether the relation holds for its values' sake: not between constants, zeros or a handful of values."""
    outcome = relation.outcome(frame)
    keeps = outcome.applies & ~outcome.broken
    target = relation.target.numbers(frame).exact
    if len(np.unique(frame.rows[keeps])) < FEW_ROWS or not _varies(relation, target.values[keeps]):
        return False
    if not _is_precise(relation, frame, target.values[keeps], target.decimals):
        return False
    return _chance(relation, frame, keeps, rng) <= BY_CHANCE and all(_matters(relation, frame, keeps))


def _varies(relation: Relation, values: Matrix) -> bool:
    counts = any(isinstance(term, Column) and term.text().startswith("len(") for term in relation.terms())
    distinct = len(np.unique(values.astype(np.int64)))
    if len(relation.formula.parts) == 1 and isinstance(relation.formula.parts[0][1], Column):
        return distinct >= (3 if counts else 4 * FEW_VALUES)
    return distinct >= (3 if counts else FEW_VALUES)


def _is_precise(relation: Relation, frame: Frame, values: Matrix, decimals: int) -> bool:
    """A target of a few units, to which products are rounded, would be met by chance."""
    if not any(has_product(term) for _, term in relation.formula.parts):
        return True
    unit = 10 ** (decimals - min(decimals, places_of(relation.target, frame)))
    exact = dataclasses.replace(relation.formula, places=None).numbers(frame).exact
    return exact.decimals <= decimals or float(np.median(np.abs(values.astype(float)))) >= PRECISE * unit


def _chance(relation: Relation, frame: Frame, keeps: Matrix, rng: np.random.Generator) -> float:
    """The share of objects that keep the relation with the target of another object."""
    target, formula = relation.target.numbers(frame), relation.formula.numbers(frame)
    difference = target.exact.plus(formula.exact, -1).values[keeps]
    formula_only = target.exact.values[keeps] * 10**0
    order = rng.permutation(len(formula_only))
    scale = 10 ** (max(target.exact.decimals, formula.exact.decimals) - target.exact.decimals)
    moved = difference + (formula_only[order] - formula_only) * scale
    return float(np.mean(moved == 0))


def _matters(relation: Relation, frame: Frame, keeps: Matrix) -> Iterator[bool]:
    """For each term whether leaving it out would break the relation in some objects that keep it."""
    for _, term in relation.formula.parts:
        values = term.numbers(frame).exact.values[keeps]
        yield int((values != 0).sum()) >= 3
        if isinstance(term, Product):
            yield from _factors_matter(term, frame, keeps)


def _factors_matter(product: Product, frame: Frame, keeps: Matrix) -> Iterator[bool]:
    """No factor is 1 nearly everywhere; beside a constant rate and another factor, none is mostly one value."""
    has_rate = any(isinstance(factor.term, Constant) for factor in product.factors) and len(product.factors) > 2
    for factor in product.factors:
        numbers = factor.numbers(frame).exact
        values = numbers.values[keeps]
        yield int((values != 10**numbers.decimals).sum()) >= 3
        if has_rate and not isinstance(factor.term, Constant):
            counts = np.unique(values.astype(float), return_counts=True)[1]
            yield int(counts.max()) <= MOSTLY * len(values)
