"""A relation between the numbers of one object: an equation, or an order; where it applies, and where it is broken."""

import datetime
from dataclasses import dataclass

import numpy as np

from astudent.quality.invariants.breach import Breach
from astudent.quality.invariants.found.columns import EPOCH, PLACES, Key
from astudent.quality.invariants.found.exact import Integers
from astudent.quality.invariants.found.frame import Frame, Mask, Numbers
from astudent.quality.invariants.found.terms import Column, Formula, Previous, Product, Term, columns_of, is_date

Path = tuple[Key, ...]
ROUND_RATE = 0.005
TELLING = 4_000  # units of an amount, of which half a percent is twenty


@dataclass(frozen=True, slots=True)
class Outcome:
    """For each object of a frame: whether the relation applies there, and whether it is broken."""

    applies: Mask
    broken: Mask

    def share_of_rows(self, rows: np.ndarray) -> tuple[int, int]:
        """Number of rows where the relation applies, and of those in which some object breaks it."""
        return _distinct(rows[self.applies]), _distinct(rows[self.broken])


def _distinct(ascending: np.ndarray) -> int:
    return int(np.count_nonzero(ascending[1:] != ascending[:-1])) + 1 if len(ascending) else 0


@dataclass(frozen=True, slots=True)
class Relation:
    """`target` equals `formula` (or, as an order, is at most it), in each object at `path`."""

    path: Path
    target: Term
    formula: Formula
    is_order: bool = False
    ignores_zero: bool = False  # a target of 0 is out of the rule's reach: tax-free, free of charge
    is_rate: bool = False  # by a constant rate: an object with another round rate is of another kind, not broken

    def outcome(self, frame: Frame) -> Outcome:
        """How the objects of a frame keep the relation."""
        target, formula = self.target.numbers(frame), self.formula.numbers(frame)
        applies = target.present & formula.present
        if self.ignores_zero:
            applies = applies & (target.exact.values != 0).astype(bool)
        if self.is_order:
            holds = (formula.exact.plus(target.exact, -1).values >= 0).astype(bool)
        else:
            holds = target.exact.equals(formula.exact)
            if self.is_rate:
                holds = holds | self._of_another_rate(frame, target, formula)
        return Outcome(applies, applies & ~holds)

    def _of_another_rate(self, frame: Frame, target: Numbers, formula: Numbers) -> Mask:
        """Where the target is a multiple of half a percent of what the rate is taken of, within one unit.

        Only amounts that are large enough for that to mean something count.
        """
        rate, amount = self._rate_and_amount(frame)
        unit = 10.0**-formula.exact.decimals
        value = target.exact.values.astype(float) / 10.0**target.exact.decimals
        steps = np.round(value / np.where(amount == 0, 1, amount) / ROUND_RATE)
        is_near = np.abs(value - steps * ROUND_RATE * amount) <= unit
        return is_near & (np.abs(amount) >= TELLING * unit) & (np.abs(steps * ROUND_RATE - rate) > ROUND_RATE / 2)

    def _rate_and_amount(self, frame: Frame) -> tuple[float, np.ndarray]:
        product = self.formula.parts[0][1]
        assert isinstance(product, Product)
        *others, last = [factor.numbers(frame).exact for factor in product.factors]
        amount = np.ones(frame.size)
        for other in others:
            amount = amount * (other.values.astype(float) / 10.0**other.decimals)
        return float(last.values[0]) / 10.0**last.decimals if frame.size else 0.0, amount

    def gaps(self, frame: Frame) -> Integers:
        """Of an order, by how many millionths its right side exceeds its left one."""
        exact = self.formula.numbers(frame).exact.plus(self.target.numbers(frame).exact, -1)
        return exact.with_decimals(max(PLACES, exact.decimals)).values.astype(np.float64)

    def breach(self, frame: Frame, index: int) -> Breach:
        """What the object `index` has, and what it should have."""
        found = f"{self.target.text()} = {self._shown(frame, self.target, index)}"
        formula = self.formula.parts[0][1] if len(self.formula.parts) == 1 else None
        expected = f"{self.formula.text()} = {self._shown(frame, formula or self.formula, index)}"
        expected = ("at most " if self.is_order else "") + expected
        return Breach(frame.pointer(index, self.target_key()), self.text(), found[:200], expected[:200])

    def _shown(self, frame: Frame, term: Term | Formula, index: int) -> str:
        exact = (self.formula if isinstance(term, Product) else term).numbers(frame).exact
        if isinstance(term, Column | Previous) and is_date(term, frame):
            micros = int(exact.with_decimals(PLACES).values[index]) * 86_400
            moment = EPOCH + datetime.timedelta(microseconds=micros)
            return moment.date().isoformat() if not micros % 86_400_000_000 else moment.isoformat()
        return exact.text(index)

    def text(self) -> str:
        """`items: line_total == quantity * unit_price`."""
        where = "".join(".".join(key) + "[]" for key in self.path)
        body = f"{self.target.text()} {'<=' if self.is_order else '=='} {self.formula.text()}"
        return f"{where}: {body}" if where else body

    def terms(self) -> list[Term]:
        """The target and the formula's terms."""
        return [self.target, *(term for _, term in self.formula.parts)]

    def members(self) -> set[tuple[Key, ...]]:
        """All members that take part, each by its whole path."""
        return {_absolute(self.path, column) for term in self.terms() for column in columns_of(term)}

    def target_member(self) -> tuple[Key, ...]:
        """The member that the relation computes."""
        return next(iter({_absolute(self.path, column) for column in columns_of(self.target)}), ())

    def target_key(self) -> Key:
        """The member that a breach points to, within its object."""
        return self.target.key if isinstance(self.target, Column) else ()


def _absolute(path: Path, column: tuple[Key, ...]) -> tuple[Key, ...]:
    if column and column[0] and column[0][0].startswith("^"):
        return (*path[: len(path) - int(column[0][0][1:])], *column[1:])
    return (*path, *column)
