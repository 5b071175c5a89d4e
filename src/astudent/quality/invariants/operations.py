"""Arithmetic and comparison of rule values; lists go element by element, a single value meets each element."""

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from astudent.quality.invariants.values import CONTEXT, BadValueError, Value, instant, kind, shown

Operation = Callable[[Any, Any], Any]


def each(operation: Operation, one: Value, other: Value) -> Value:
    """`operation` on two values; on a list for each of its elements. BadValueError: lists of different lengths."""
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            raise BadValueError(f"lists of {len(one)} and {len(other)} elements")
        return [each(operation, a, b) for a, b in zip(one, other, strict=True)]
    if isinstance(one, list):
        return [each(operation, a, other) for a in one]
    if isinstance(other, list):
        return [each(operation, one, b) for b in other]
    return operation(one, other)


def arithmetic(symbol: str) -> Operation:
    """+ - * / on numbers. The operation raises BadValueError for anything else, and for a division by zero."""
    compute = {"+": CONTEXT.add, "-": CONTEXT.subtract, "*": CONTEXT.multiply, "/": CONTEXT.divide}[symbol]

    def run(one: Value, other: Value) -> Decimal:
        if type(one) is not Decimal or type(other) is not Decimal:
            raise BadValueError(f"{kind(one)} {symbol} {kind(other)}")
        if symbol == "/" and not other:
            raise BadValueError(f"{shown(one)} divided by zero")
        try:
            return compute(one, other)
        except DecimalException:
            raise BadValueError(f"{shown(one)} {symbol} {shown(other)} is too large") from None

    return run


def comparison(symbol: str) -> Operation:
    """One of == != < <= > >= on two values of one type. The operation raises BadValueError for two types."""
    decide: dict[str, Operation] = {
        "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    }  # fmt: skip

    def run(one: Value, other: Value) -> bool:
        if type(one) is not type(other) or isinstance(one, dict):
            raise BadValueError(f"{kind(one)} {symbol} {kind(other)}")
        if isinstance(one, bool) and symbol not in ("==", "!="):
            raise BadValueError(f"booleans have no order: {symbol}")
        return decide[symbol](*comparable(one, other))

    return run


def comparable(one: Value, other: Value) -> tuple[Value, Value]:
    """Two texts that both are ISO dates or date-times as moments; anything else as it is."""
    if isinstance(one, str) and isinstance(other, str):
        moments = instant(one), instant(other)
        if None not in moments:
            return moments
    return one, other


def truth(value: Value) -> bool:
    """Whether a condition holds; of a list, whether all its elements do. BadValueError: no boolean."""
    if isinstance(value, list):
        return all(truth(item) for item in value)
    if not isinstance(value, bool):
        raise BadValueError(f"{kind(value)} where a condition is needed")
    return value


def flat(value: Value) -> list[Value]:
    """All elements of nested lists, in order; a single value is a list of one."""
    if not isinstance(value, list):
        return [value]
    return [inner for item in value for inner in flat(item)]
