"""Amounts: exact decimals, rounded to cents where they must be, half a cent away from zero (commercial rounding)."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


def cents(value: Decimal) -> Decimal:
    """An amount rounded to cents."""
    return value.quantize(CENT, ROUND_HALF_UP)


def share(amount: Decimal, percent: Decimal | int) -> Decimal:
    """So many percent of an amount, in cents."""
    return cents(amount * percent / 100)


def total_of(parts: Sequence[dict[str, Any]], member: str) -> Decimal:
    """The sum of a member over the items of an array."""
    return sum((part[member] for part in parts), Decimal())
