"""The terms of a frame that a relation may be made of, with their numbers in one matrix."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import numpy as np

from astudent.quality.invariants.found.columns import COUNT, PLACES
from astudent.quality.invariants.found.frame import Frame, Numbers
from astudent.quality.invariants.found.terms import Column, Factor, Picked, Previous, Product, Term, is_date

MAX_BASE = 60  # terms of a signed sum
MAX_FACTORS = 36
MAX_OWN = 24  # of them members of the object itself
MAX_OTHERS = 8  # and of each other kind
MAX_PRODUCTS = 900
CENTS = 2  # the decimals that money is rounded to
SEVERAL = 0.3  # share of arrays with two elements or more, for its first, last, smallest and largest to mean anything
Matrix = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Features:
    """Terms, and their numbers in millionths: one line for each term, one column for each object."""

    terms: list[Term]
    matrix: Matrix
    present: Matrix
    is_date: Matrix

    @classmethod
    def of(cls, frame: Frame, terms: Iterable[Term]) -> "Features":
        """The features of those terms that have numbers and are not all zero, each vector once."""
        kept: list[Term] = []
        vectors: dict[bytes, tuple[Matrix, Matrix]] = {}
        for term in terms:
            numbers = term.numbers(frame)
            values = _millionths(numbers)
            if values is None or not values.any() or values.tobytes() in vectors:
                continue
            vectors[values.tobytes()] = values, numbers.present
            kept.append(term)
        if not kept:
            return cls([], np.zeros((0, frame.size), np.int64), np.zeros((0, frame.size), bool), np.zeros(0, bool))
        matrix, present = (np.stack(part) for part in zip(*vectors.values(), strict=True))
        return cls(kept, matrix, present, np.array([is_date(term, frame) for term in kept]))


def _millionths(numbers: Numbers) -> Matrix | None:
    """None where the numbers need more decimals, or do not fit into 64 bits."""
    if numbers.exact.decimals > PLACES:
        return None
    values = numbers.exact.with_decimals(PLACES).values
    if values.dtype == object:
        return values.astype(np.int64) if all(abs(value) < 2**62 for value in values) else None
    return values if not len(values) or float(np.abs(values).max()) < 4e18 else None


def own_columns(frame: Frame, *, dates: bool = False) -> Iterator[Column]:
    """The frame's members that are numbers (or dates), but for lengths of arrays."""
    for key, kind in frame.kinds.items():
        if (kind == "date") is dates and not (key and key[-1] == COUNT):
            yield Column(key)


def base(frame: Frame) -> list[Term]:
    """What a signed sum may be made of: members, previous elements, totals over arrays and array lengths."""
    terms: list[Term] = [*own_columns(frame), *own_columns(frame, dates=True)]
    terms += [term for child in frame.children for term in totals(frame, child)]
    terms += [Column(key) for key in frame.kinds if key and key[-1] == COUNT]
    if frame.parent is not None and _has_several(frame):
        terms += [Previous(column.key) for column in own_columns(frame)]
    for key, child in frame.children.items():
        if _has_several(child):
            terms += [Picked(key, column, pick) for column in own_columns(child) for pick in ("first", "last")]
    return terms[:MAX_BASE]


def totals(frame: Frame, array: tuple[str, ...]) -> Iterator[Term]:
    """The sums over an array of its elements' members, of arrays within them too."""
    child = frame.children[array]
    for column in own_columns(child):
        yield Picked(array, column, "sum")
    for inner in child.children:
        yield from (Picked(array, term, "sum") for term in totals(child, inner))
    for key in child.kinds:
        if key and key[-1] == COUNT:
            yield Picked(array, Column(key), "sum")


def _has_several(frame: Frame) -> bool:
    lengths = np.diff(frame.bounds)
    filled = lengths[lengths > 0]
    return len(filled) > 0 and float(np.mean(filled > 1)) >= SEVERAL


def factors(frame: Frame) -> list[Term]:
    """What may be multiplied: members of the object and of the enclosing ones, totals, lengths."""
    terms = list[Term](own_columns(frame))[:MAX_OWN]
    if frame.parent is not None and _has_several(frame):
        terms += [Previous(column.key) for column in own_columns(frame)][:MAX_OTHERS]
    outer, up = frame.parent, 1
    while outer is not None:
        terms += [Column(column.key, up) for column in own_columns(outer)][:MAX_OTHERS]
        outer, up = outer.parent, up + 1
    terms += [term for child in frame.children for term in totals(frame, child)][:MAX_OTHERS]
    terms += [Column(key) for key in frame.kinds if key and key[-1] == COUNT]
    return terms[:MAX_FACTORS]


def products(frame: Frame) -> Iterator[Term]:
    """Products of two factors, as they are and in percent, in cents."""
    pairs = combinations([term for term in factors(frame) if not isinstance(term, Previous)], 2)
    made = [pair for pair in pairs if not all(isinstance(term, Column) and term.up for term in pair)]
    for one, other in made[: MAX_PRODUCTS // 2]:
        for form in ("x", "x%"):
            yield Product((Factor(one), Factor(other, form)), CENTS)


def sums_of_products(frame: Frame, known: set[Term]) -> Iterator[Term]:
    """Sums over an array of products of its elements' members; those `known` as members already are left out."""
    for key, child in frame.children.items():
        own = list[Term](own_columns(child))[:7]
        for product in _element_products(own):
            if product not in known:
                yield Picked(key, Product(product.factors, CENTS), "sum")


def _element_products(own: list[Term]) -> Iterator[Product]:
    for one, other in combinations(own, 2):
        for form in ("x", "x%"):
            yield Product((Factor(one), Factor(other, form)))
    if len(own) <= 5:
        for one, other, third in permutations(own, 3):
            if own.index(one) < own.index(other):
                yield from (Product((Factor(one), Factor(other), Factor(third, form))) for form in ("1-x%", "1-x"))
