"""Members that are a rounded product: of two or three members, or of members and a constant rate.

The search compares ratios in floating point on a few objects, with the tolerance of one unit of the target; whether
and how the rounded product is right is then computed exactly.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import combinations

import numpy as np

from astudent.quality.invariants.found.exact import Exact
from astudent.quality.invariants.found.features import Matrix, factors, own_columns, products
from astudent.quality.invariants.found.frame import Frame
from astudent.quality.invariants.found.judge import places_of
from astudent.quality.invariants.found.relation import Path, Relation
from astudent.quality.invariants.found.terms import FORMS, Constant, Factor, Formula, Product, Term

SAMPLE = 16
LEAST_VALUES = 6  # distinct ones of a target
ENOUGH = 12  # of the sample's objects must agree
MAX_HITS = 200  # of one target
MAX_SUMMED = 300  # products that are added in pairs
MAX_PAIRS = 20_000
FEW_DECIMALS, MAX_RATE_DECIMALS = 3, 5
MAX_PARTS = 60  # 1/60: minutes of an hour
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Grid:
    """Products of one or two terms (`left`), and what they may be multiplied by (`right`); numbers on a sample."""

    left: list[tuple[Term, ...]]
    left_numbers: Matrix
    right: list[Factor | None]
    right_numbers: Matrix


@dataclass(frozen=True, slots=True)
class Target:
    """A member whose relations are looked for: its values on a sample of objects (`rows`), told to a `unit`."""

    term: Term
    rows: Matrix
    numbers: Matrix
    unit: float


def product_relations(frame: Frame, path: Path, rng: np.random.Generator) -> Iterator[Relation]:
    """Relations `member == product` that hold on most of a sample."""
    for target, grid in _grids(frame, rng):
        for product in _products(grid, target.numbers, target.unit):
            yield Relation(path, target.term, Formula(((1, product),)))


def product_sum_relations(frame: Frame, path: Path, rng: np.random.Generator) -> Iterator[Relation]:
    """Relations `member == product + product`, or minus, rounded as a whole, that hold on most of a sample."""
    made = [product for product in products(frame) if isinstance(product, Product)][:MAX_SUMMED]
    bare = [dataclasses.replace(product, places=None) for product in made]
    if len(bare) < 2:
        return
    matrix = np.array([_floats(product.numbers(frame).exact) for product in bare])
    for target in _targets(frame, rng):
        usable = [
            index for index, product in enumerate(bare) if all(factor.term != target.term for factor in product.factors)
        ]
        for one, other, sign in _summed(matrix[np.ix_(usable, target.rows)], target.numbers, target.unit):
            yield Relation(path, target.term, Formula(((1, bare[usable[one]]), (sign, bare[usable[other]]))))


def _summed(numbers: Matrix, target: Matrix, unit: float) -> Iterator[tuple[int, int, int]]:
    """Pairs of lines whose sum or difference is the target on enough objects."""
    # a product that is mostly zero adds nothing that could be told
    telling = np.count_nonzero(numbers, axis=1) >= ENOUGH
    for sign in (1, -1):
        sums = numbers[:, None, 0] + sign * numbers[None, :, 0]
        hits = np.argwhere((np.abs(sums - target[0]) <= unit * (1 + TINY)) & telling[:, None] & telling[None, :])[
            :MAX_PAIRS
        ]
        agree = np.abs(numbers[hits[:, 0]] + sign * numbers[hits[:, 1]] - target) <= unit * (1 + TINY)
        for one, other in hits[agree.sum(axis=1) >= ENOUGH][:MAX_HITS].tolist():
            if one < other or (sign < 0 and one != other):
                yield one, other, sign


def rate_relations(frame: Frame, path: Path, rng: np.random.Generator) -> Iterator[Relation]:
    """Relations `member == rate * product` with a constant rate, that hold on most of a sample."""
    for target, grid in _grids(frame, rng):
        for terms, rate in _rates(grid, target.numbers, target.unit):
            product = Product((*(Factor(term) for term in terms), Factor(Constant(rate))))
            yield Relation(path, target.term, Formula(((1, product),)), ignores_zero=True, is_rate=True)


def _targets(frame: Frame, rng: np.random.Generator) -> Iterator[Target]:
    """The members with values enough to tell a relation by."""
    for term in own_columns(frame):
        rows = _sample(frame, term, rng)
        if len(rows) >= SAMPLE:
            yield Target(term, rows, _floats(term.numbers(frame).exact)[rows], 10.0 ** -places_of(term, frame))


def _grids(frame: Frame, rng: np.random.Generator) -> Iterator[tuple[Target, Grid]]:
    """Each target with the products of the other members on its sample."""
    terms = factors(frame)
    values = {term: _floats(term.numbers(frame).exact) for term in terms}
    for target in _targets(frame, rng):
        yield target, _grid([term for term in terms if term != target.term], values, target.rows)


def _floats(exact: Exact) -> Matrix:
    return exact.values.astype(float) / 10.0**exact.decimals


def _sample(frame: Frame, target: Term, rng: np.random.Generator) -> Matrix:
    """Objects whose target is there and not zero, the larger half of them: there a ratio is precise."""
    numbers = target.numbers(frame)
    rows = np.flatnonzero(numbers.present & (numbers.exact.values != 0).astype(bool))
    larger = rows[np.argsort(-np.abs(numbers.exact.values[rows].astype(float)))][: max(SAMPLE, len(rows) // 2)]
    if len(np.unique(numbers.exact.values[rows].astype(np.int64))) < LEAST_VALUES:
        return larger[:0]
    return rng.choice(larger, SAMPLE, replace=False) if len(larger) >= SAMPLE else larger


def _grid(terms: list[Term], values: dict[Term, Matrix], rows: Matrix) -> Grid:
    left: list[tuple[Term, ...]] = [(term,) for term in terms]
    left += list(combinations(terms, 2))
    right: list[Factor | None] = [None, *(Factor(term, form) for term in terms for form in FORMS if form != "x")]
    ones = np.ones(len(rows))
    left_numbers = np.array([np.prod([values[term][rows] for term in pair], axis=0) for pair in left])
    right_numbers = np.array(
        [ones if factor is None else _formed(values[factor.term][rows], factor.form) for factor in right]
    )
    return Grid(left, left_numbers.reshape(-1, len(rows)), right, right_numbers)


def _formed(values: Matrix, form: str) -> Matrix:
    values = values / 100 if "%" in form else values
    return values if form[0] == "x" else 1 - values if "-" in form else 1 + values


def _products(grid: Grid, target: Matrix, unit: float) -> Iterator[Product]:
    """The pairs of left and right that agree on enough objects; looked for on three of them, confirmed on all."""
    if not len(grid.left):
        return
    seen: set[tuple[int, int]] = set()
    for row in range(3):
        made = np.multiply.outer(grid.left_numbers[:, row], grid.right_numbers[:, row])
        hits = np.argwhere(np.abs(made - target[row]) <= unit * (1 + TINY))
        if not len(hits):
            continue
        agree = np.abs(grid.left_numbers[hits[:, 0]] * grid.right_numbers[hits[:, 1]] - target) <= unit * (1 + TINY)
        good = hits[agree.sum(axis=1) >= ENOUGH]
        for left, right in sorted(map(tuple, good.tolist()), key=lambda hit: (len(grid.left[hit[0]]), hit[1] > 0))[
            :MAX_HITS
        ]:
            factor = grid.right[right]
            if (left, right) in seen or (factor is None and len(grid.left[left]) == 1):
                continue
            if factor is not None and factor.term in grid.left[left]:
                continue
            seen.add((left, right))
            yield Product((*(Factor(term) for term in grid.left[left]), *([factor] if factor else [])))


def _rates(grid: Grid, target: Matrix, unit: float) -> Iterator[tuple[tuple[Term, ...], Decimal]]:
    """The constant rates that bring a product to the target, within a unit, on enough objects."""
    found = False
    for terms, numbers in zip(grid.left, grid.left_numbers, strict=True):
        if np.count_nonzero(numbers) < ENOUGH or (found and len(terms) > 1):
            continue
        for row in np.argsort(-np.abs(numbers))[:3]:
            guess = target[row] / numbers[row] if numbers[row] else 0.0
            # the guess itself is off by half a unit of its own object
            slack = unit * (1 + np.abs(numbers / numbers[row]) + TINY) if numbers[row] else 0.0
            agree = np.abs(target - guess * numbers) <= slack
            if guess and agree.sum() >= ENOUGH:
                rate = _shortest(target[agree], numbers[agree], unit)
                if rate is not None and abs(rate) != 1:
                    found = True
                    yield terms, rate
                    break


def _shortest(target: Matrix, numbers: Matrix, unit: float) -> Decimal | None:
    """The rate of fewest decimals, or a whole part, that most of the objects allow."""
    order = np.argsort(-np.abs(numbers))[:ENOUGH]
    centre = float(np.median(target[order] / numbers[order]))
    width = float(np.median(unit / np.abs(numbers[order])))
    # 0.05 before 1/20, but 1/12 before 0.08333
    return _decimal(centre, width, FEW_DECIMALS) or _part(centre, width) or _decimal(centre, width, MAX_RATE_DECIMALS)


def _decimal(centre: float, width: float, most: int) -> Decimal | None:
    for decimals in range(most + 1):
        rate = round(centre, decimals)
        if rate and abs(rate - centre) <= width:
            return Decimal(repr(rate)).normalize() if decimals else Decimal(int(rate))
    return None


def _part(centre: float, width: float) -> Decimal | None:
    for parts in range(2, MAX_PARTS + 1):
        if abs(abs(centre) - 1 / parts) <= width:
            share = (Decimal(1) / parts).quantize(Decimal(1).scaleb(-15), rounding=ROUND_CEILING)
            return share if centre > 0 else -share
    return None
