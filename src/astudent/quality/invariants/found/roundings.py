"""The natural orders of rounding what is made of products: once at the end, line by line, or once for each rate."""

import dataclasses
from collections.abc import Callable, Iterator

from astudent.quality.invariants.found.exact import Mode
from astudent.quality.invariants.found.terms import Column, Factor, Formula, Grouped, Picked, Product, Term

MAX_GROUPINGS = 3


def rounding_orders(formula: Formula, places: int, mode: Mode) -> Iterator[Formula]:
    """The formula, rounded to `places` decimals in each order."""
    yield _with(formula, lambda term: with_places(term, None, mode), places, mode)
    yield _with(formula, lambda term: with_places(term, places, mode), None, mode)
    for by in _groupings(formula):
        yield _with(formula, lambda term, by=by: _grouped(with_places(term, places, mode), by), None, mode)


def rounding_of(formula: Formula) -> tuple[int, Mode] | None:
    """To how many decimals a formula rounds, and how; None for one that does not."""
    if formula.places is not None:
        return formula.places, formula.mode
    products = [product for _, term in formula.parts if (product := _product_of(term)) is not None]
    return next(((product.places, product.mode) for product in products if product.places is not None), None)


def with_places(term: Term, places: int | None, mode: Mode) -> Term:
    """The term with its products rounded to `places` decimals, one by one."""
    if isinstance(term, Grouped):
        term = term.ungrouped()
    if isinstance(term, Product):
        return dataclasses.replace(term, places=places, mode=mode)
    if isinstance(term, Picked):
        return dataclasses.replace(term, inner=with_places(term.inner, places, mode))
    return term


def _with(formula: Formula, change: Callable[[Term], Term], places: int | None, mode: Mode) -> Formula:
    parts = tuple((sign, change(term)) for sign, term in formula.parts)
    return dataclasses.replace(formula, parts=parts, places=places, mode=mode, required=frozenset())


def _groupings(formula: Formula) -> list[Factor]:
    """The factors that may be a rate: any member, since percent may be written at either of two."""
    summed = [product for _, term in formula.parts if not isinstance(term, Product) and (product := _product_of(term))]
    members = [factor for product in summed for factor in product.factors if isinstance(factor.term, Column)]
    return list(dict.fromkeys(members))[:MAX_GROUPINGS]


def _grouped(term: Term, by: Factor) -> Term:
    if isinstance(term, Picked) and term.pick == "sum" and isinstance(term.inner, Product) and by in term.inner.factors:
        return Grouped(term.array, term.inner, by)
    return term


def _product_of(term: Term) -> Product | None:
    if isinstance(term, Grouped):
        return term.product
    if isinstance(term, Picked):
        return _product_of(term.inner)
    return term if isinstance(term, Product) else None
