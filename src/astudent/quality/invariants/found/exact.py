"""Exact decimals in numpy arrays: integers with a number of decimals, in 64 bits where they fit, else Python's own."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Integers = np.ndarray[Any, Any]
Mode = Literal["half up", "half even", "down"]
MODES: tuple[Mode, ...] = ("half up", "half even", "down")
SAFE = 4e18  # below the largest 64-bit integer, with room for the error of the estimate


@dataclass(frozen=True, slots=True)
class Exact:
    """`values` / 10**`decimals`."""

    values: Integers
    decimals: int

    @classmethod
    def of_millionths(cls, values: Integers) -> "Exact":
        """The same numbers with as few decimals as they need."""
        for zeros in range(6, 0, -1):
            if not np.any(values % 10**zeros):
                return cls(values // 10**zeros, 6 - zeros)
        return cls(values, 6)

    def with_decimals(self, decimals: int) -> "Exact":
        """The same numbers with more decimals."""
        factor = 10 ** (decimals - self.decimals)
        return self if factor == 1 else Exact(_roomy(self.values, factor) * factor, decimals)

    def plus(self, other: "Exact", sign: int = 1) -> "Exact":
        """self + sign * other."""
        decimals = max(self.decimals, other.decimals)
        one, two = self.with_decimals(decimals).values, other.with_decimals(decimals).values
        if _largest(one) + _largest(two) > SAFE:
            one, two = one.astype(object), two.astype(object)
        return Exact(one + two if sign > 0 else one - two, decimals)

    def times(self, other: "Exact") -> "Exact":
        """self * other."""
        return Exact(_roomy(self.values, _largest(other.values)) * other.values, self.decimals + other.decimals)

    def divided_by_ten(self, times: int) -> "Exact":
        """self / 10**times."""
        return Exact(self.values, self.decimals + times)

    def rounded(self, decimals: int, mode: Mode) -> "Exact":
        """With `decimals` decimals; ties away from zero, to even, or everything towards zero."""
        if self.decimals <= decimals:
            return self
        unit = 10 ** (self.decimals - decimals)
        size, sign = np.abs(self.values), np.where(self.values < 0, -1, 1)
        whole, rest = size // unit, size % unit
        if mode == "half up":
            whole = whole + (rest * 2 >= unit)
        elif mode == "half even":
            whole = whole + ((rest * 2 > unit) | ((rest * 2 == unit) & (whole % 2 == 1)))
        return Exact(whole * sign, decimals)

    def equals(self, other: "Exact") -> Integers:
        """Where the two are the same number."""
        return (self.plus(other, -1).values == 0).astype(bool)

    def text(self, index: int) -> str:
        """One number as a short text; money keeps its cents."""
        value = int(self.values[index])
        digits = f"{abs(value):0{self.decimals + 1}d}"
        whole, fraction = digits[: len(digits) - self.decimals], digits[len(digits) - self.decimals :]
        fraction = fraction[:2] + fraction[2:].rstrip("0")
        return ("-" if value < 0 else "") + whole + ("." + fraction if fraction else "")


def _largest(values: Integers) -> float:
    return float(np.abs(values).max()) if len(values) else 0.0


def _roomy(values: Integers, factor: float) -> Integers:
    """The array in Python's integers where a product with `factor` might not fit into 64 bits."""
    return values.astype(object) if max(_largest(values), 1.0) * factor > SAFE else values
