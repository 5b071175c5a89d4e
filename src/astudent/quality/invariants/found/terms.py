"""The numbers that relations are made of: members, previous elements, totals over arrays, products, signed sums."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from astudent.quality.invariants.found.columns import COUNT, Key
from astudent.quality.invariants.found.exact import Exact, Integers, Mode
from astudent.quality.invariants.found.frame import Frame, Numbers

Form = Literal["x", "x%", "1-x", "1-x%", "1+x", "1+x%"]
FORMS: tuple[Form, ...] = ("x", "x%", "1-x", "1-x%", "1+x", "1+x%")
Pick = Literal["sum", "first", "last", "min", "max"]


@dataclass(frozen=True, slots=True)
class Term:
    """A number that each object of a table has, or lacks."""

    def numbers(self, frame: Frame) -> Numbers:
        """The term's numbers in a frame."""
        raise NotImplementedError

    def text(self) -> str:
        """The term as a rule would write it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Column(Term):
    """A member of the object; `up` counts how many objects further out it stands, across arrays."""

    key: Key
    up: int = 0

    def numbers(self, frame: Frame) -> Numbers:
        if not self.up:
            return frame.column(self.key)
        if frame.parent is None:
            return Frame(frame.table).column(("",))
        outer = Column(self.key, self.up - 1).numbers(frame.parent)
        return Numbers(Exact(outer.exact.values[frame.parents], outer.exact.decimals), outer.present[frame.parents])

    def text(self) -> str:
        name = "value" if not self.key else ".".join(self.key)
        if self.key and self.key[-1] == COUNT:
            name = f"len({'.'.join(self.key[:-1]) or 'value'})"
        return "outer " * self.up + name


@dataclass(frozen=True, slots=True)
class Previous(Term):
    """The member in the element before, in the same array; the first element has none."""

    key: Key

    def numbers(self, frame: Frame) -> Numbers:
        here = frame.column(self.key)
        starts = np.ones(frame.size, bool)
        starts[1:] = frame.parents[1:] != frame.parents[:-1]
        present = np.roll(here.present, 1) & ~starts
        return Numbers(Exact(np.where(present, np.roll(here.exact.values, 1), 0), here.exact.decimals), present)

    def text(self) -> str:
        return f"previous {Column(self.key).text()}"


@dataclass(frozen=True, slots=True)
class Picked(Term):
    """One number made of a term of all elements of an array. The sum of no elements is 0."""

    array: Key
    inner: Term
    pick: Pick

    def numbers(self, frame: Frame) -> Numbers:
        child = frame.child(self.array)
        inner = self.inner.numbers(child)
        starts, ends = child.bounds[:-1], child.bounds[1:]
        filled = ends > starts
        values = inner.exact.values
        if self.pick == "sum":
            return Numbers(Exact(_sums(values, child.bounds), inner.exact.decimals), frame.has_array(self.array))
        present = filled.copy()
        picked = np.zeros(frame.size, values.dtype)
        if filled.any():
            picked[filled] = self._chosen(values, starts[filled], ends[filled])
            present[filled] = np.logical_and.reduceat(inner.present, starts[filled])
        return Numbers(Exact(np.where(present, picked, 0), inner.exact.decimals), present)

    def _chosen(self, values: Integers, starts: Integers, ends: Integers) -> Integers:
        if self.pick in ("first", "last"):
            return values[starts if self.pick == "first" else ends - 1]
        return (np.minimum if self.pick == "min" else np.maximum).reduceat(values, starts)

    def text(self) -> str:
        inner = self.inner.text()
        return f"{self.pick}({'.'.join(self.array) or 'value'}{'' if inner == 'value' else ': ' + inner})"


def _sums(values: Integers, bounds: Integers) -> Integers:
    if len(values) and float(np.abs(values).max()) * len(values) > 4e18:
        values = values.astype(object)
    running = np.concatenate([np.zeros(1, values.dtype), np.cumsum(values)])
    return running[bounds[1:]] - running[bounds[:-1]]


@dataclass(frozen=True, slots=True)
class Constant(Term):
    """The same number everywhere."""

    value: Decimal

    def numbers(self, frame: Frame) -> Numbers:
        sign, digits, exponent = self.value.as_tuple()
        whole = int("".join(map(str, digits))) * (-1 if sign else 1)
        decimals = max(0, -int(exponent))
        return Numbers(
            Exact(np.full(frame.size, whole * 10 ** max(0, int(exponent))), decimals), np.ones(frame.size, bool)
        )

    def text(self) -> str:
        return f"{self.value:f}"


@dataclass(frozen=True, slots=True)
class Factor:
    """A term as it is, as percent, or what is left (1-x) or comes to (1+x) by it."""

    term: Term
    form: Form = "x"

    def numbers(self, frame: Frame) -> Numbers:
        """The factor's numbers."""
        numbers = self.term.numbers(frame)
        exact = numbers.exact.divided_by_ten(2) if "%" in self.form else numbers.exact
        if self.form[0] == "1":
            exact = Exact(np.ones(frame.size, np.int64), 0).plus(exact, -1 if "-" in self.form else 1)
        return Numbers(exact, numbers.present)

    def text(self) -> str:
        """`rate / 100`, `(1 - discount)`."""
        name = self.term.text() + (" / 100" if "%" in self.form else "")
        return f"({self.form[0]} {self.form[1]} {name})" if self.form[0] == "1" else name


@dataclass(frozen=True, slots=True)
class Product(Term):
    """The product of factors, rounded where `places` is given. Present where all factors are."""

    factors: tuple[Factor, ...]
    places: int | None = None
    mode: Mode = "half up"

    def numbers(self, frame: Frame) -> Numbers:
        first, *others = [factor.numbers(frame) for factor in self.factors]
        exact, present = first.exact, first.present
        for other in others:
            exact, present = exact.times(other.exact), present & other.present
        if self.places is not None:
            exact = exact.rounded(self.places, self.mode)
        return Numbers(Exact(np.where(present, exact.values, 0), exact.decimals), present)

    def text(self) -> str:
        return " * ".join(factor.text() for factor in self.factors)


@dataclass(frozen=True, slots=True)
class Grouped(Term):
    """A product summed over an array, rounded once for all elements that have one value of the factor `by`: taxes by rate."""

    array: Key
    product: Product
    by: Factor

    def numbers(self, frame: Frame) -> Numbers:
        child = frame.child(self.array)
        rate = self.by.numbers(child).exact
        rest = Product(tuple(factor for factor in self.product.factors if factor != self.by)).numbers(child).exact
        order = np.lexsort((rate.values.astype(np.float64), child.parents))
        rates, parents = rate.values[order], child.parents[order]
        starts = np.flatnonzero(np.append(True, (rates[1:] != rates[:-1]) | (parents[1:] != parents[:-1])))
        if not child.size:
            return self.ungrouped().numbers(frame)
        bases = Exact(np.add.reduceat(rest.values[order], starts), rest.decimals)
        made = bases.times(Exact(rates[starts], rate.decimals))
        if self.product.places is not None:
            made = made.rounded(self.product.places, self.product.mode)
        bounds = np.searchsorted(parents[starts], np.arange(frame.size + 1))
        return Numbers(Exact(_sums(made.values, bounds), made.decimals), frame.has_array(self.array))

    def ungrouped(self) -> Picked:
        """The sum of the product as it is."""
        return Picked(self.array, self.product, "sum")

    def text(self) -> str:
        return f"{self.ungrouped().text()[:-1]}, rounded by {self.by.term.text()})"


@dataclass(frozen=True, slots=True)
class Formula:
    """A signed sum of terms, rounded as a whole where `places` is given.

    An object lacks it where a `required` term is missing, or all are; another missing term counts as 0.
    """

    parts: tuple[tuple[int, Term], ...]
    places: int | None = None
    mode: Mode = "half up"
    required: frozenset[Term] = frozenset()

    def numbers(self, frame: Frame) -> Numbers:
        """The sum's numbers."""
        total, some, needed = (
            Exact(np.zeros(frame.size, np.int64), 0),
            np.zeros(frame.size, bool),
            np.ones(frame.size, bool),
        )
        for sign, term in self.parts:
            numbers = term.numbers(frame)
            total = total.plus(numbers.exact, sign)
            some = some | numbers.present
            needed = needed & numbers.present if term in self.required else needed
        if self.places is not None:
            total = total.rounded(self.places, self.mode)
        return Numbers(total, some & needed)

    def text(self) -> str:
        """`subtotal + tax - discount`."""
        ordered = sorted(self.parts, key=lambda part: -part[0])
        first, *others = ordered
        start = ("-" if first[0] < 0 else "") + first[1].text()
        return start + "".join(f" {'+' if sign > 0 else '-'} {term.text()}" for sign, term in others)


def columns_of(term: Term) -> set[tuple[Key, ...]]:
    """The members that a term is made of, each as the array keys and its own."""
    if isinstance(term, Picked):
        return {(term.array, *inner) for inner in columns_of(term.inner)}
    if isinstance(term, Grouped):
        return columns_of(term.ungrouped())
    if isinstance(term, Product):
        return {column for factor in term.factors for column in columns_of(factor.term)}
    if isinstance(term, Column):
        return {((f"^{term.up}",) if term.up else (), term.key)} if term.up else {(term.key,)}
    return {(term.key,)} if isinstance(term, Previous) else set()


def is_date(term: Term, frame: Frame) -> bool:
    """Whether the term's numbers are days."""
    if isinstance(term, Picked):
        return is_date(term.inner, frame.child(term.array))
    return isinstance(term, Column | Previous) and not getattr(term, "up", 0) and frame.kinds.get(term.key) == "date"


def has_product(term: Term) -> bool:
    """Whether the term is a product, or made of products over an array."""
    return isinstance(term, Product | Grouped) or (isinstance(term, Picked) and has_product(term.inner))
