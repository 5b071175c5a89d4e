"""The functions of the rule language, by name, with how many arguments each takes."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from astudent.quality.invariants.operations import arithmetic, comparable, comparison, each, flat
from astudent.quality.invariants.values import CONTEXT, PLAIN_NUMBER, BadValueError, Value, instant, kind, shown

MAX_ROUNDING = 20  # digits on either side of the point
SECONDS_OF_A_DAY = Decimal(86_400)
_minus, _at_most = arithmetic("-"), comparison("<=")


class EmptyError(Exception):
    """The smallest or largest of no elements: the rule does not apply."""


@dataclass(frozen=True, slots=True)
class Function:
    """`run` takes from `least` to `most` evaluated arguments."""

    run: Callable[..., Value]
    least: int
    most: int


def _sum(value: Value) -> Decimal:
    total = Decimal(0)
    for item in flat(value):
        total = arithmetic("+")(total, item)
    return total


def _count(value: Value) -> Decimal:
    """How many elements; of conditions, how many hold."""
    items = flat(value)
    return Decimal(sum(items) if items and all(isinstance(item, bool) for item in items) else len(items))


def _len(value: Value) -> Decimal:
    if not isinstance(value, list | str):
        raise BadValueError(f"len of {kind(value)}")
    return Decimal(len(value))


def _extreme(choose_first: str) -> Callable[..., Value]:
    prefers = comparison(choose_first)

    def run(*values: Value) -> Value:
        items = [item for value in values for item in flat(value)]
        if not items:
            raise EmptyError
        best = items[0]
        for item in items[1:]:
            best = item if prefers(item, best) else best
        return best

    return run


def _abs(value: Value) -> Value:
    return each(lambda a, _: CONTEXT.abs(_number(a)), value, None)


def _round(value: Value, digits: Value = Decimal(0)) -> Value:
    """Half away from zero, as commerce rounds; `digits` after the point."""
    places = _number(digits)
    if places != int(places) or abs(places) > MAX_ROUNDING:
        raise BadValueError(f"round to {shown(places)} digits")
    unit = Decimal(1).scaleb(-int(places))
    return each(lambda a, _: _number(a).quantize(unit, rounding=ROUND_HALF_UP, context=CONTEXT), value, None)


def _near(one: Value, other: Value, tolerance: Value) -> Value:
    """Whether two numbers differ by `tolerance` at most, in the unit of the values."""
    return each(lambda a, b: _at_most(abs(_minus(a, b)), tolerance), one, other)


def _days(start: Value, end: Value) -> Value:
    """Days from `start` to `end`, negative when it comes before; parts of a day for date-times."""
    return each(lambda a, b: _days_between(a, b), start, end)


def _days_between(start: Value, end: Value) -> Decimal:
    moments = [instant(value) if isinstance(value, str) else None for value in (start, end)]
    if moments[0] is None or moments[1] is None:
        wrong = start if moments[0] is None else end
        raise BadValueError(f"{shown(wrong)} is no ISO date")
    passed = moments[1] - moments[0]
    seconds = Decimal(passed.days * 86_400 + passed.seconds) + Decimal(passed.microseconds).scaleb(-6)
    return CONTEXT.divide(seconds, SECONDS_OF_A_DAY)


def _is_sorted(value: Value) -> bool:
    items = flat(value)
    return all(_at_most(a, b) for a, b in itertools.pairwise(items))


def _unique(value: Value) -> bool:
    items = [comparable(item, item)[0] for item in flat(value)]
    if any(isinstance(item, dict) for item in items):
        raise BadValueError("unique of objects; name one of their members")
    return len({(kind(item), item) for item in items}) == len(items)


def _to_number(value: Value) -> Value:
    """A text such as "12.50" as the number that it spells."""
    return each(lambda a, _: _spelt(a), value, None)


def _spelt(value: Value) -> Decimal:
    if isinstance(value, str) and PLAIN_NUMBER.fullmatch(value):
        return Decimal(value)
    return _number(value)


def _number(value: Any) -> Decimal:
    if not isinstance(value, Decimal):
        raise BadValueError(f"{kind(value)} where a number is needed")
    return value


FUNCTIONS: dict[str, Function] = {
    "sum": Function(_sum, 1, 1),
    "count": Function(_count, 1, 1),
    "len": Function(_len, 1, 1),
    "min": Function(_extreme("<"), 1, 10),
    "max": Function(_extreme(">"), 1, 10),
    "abs": Function(_abs, 1, 1),
    "round": Function(_round, 1, 2),
    "near": Function(_near, 3, 3),
    "days": Function(_days, 2, 2),
    "is_sorted": Function(_is_sorted, 1, 1),
    "unique": Function(_unique, 1, 1),
    "number": Function(_to_number, 1, 1),
}
