"""Wrong values to seed into extracted documents: the truth for tests of grounding.

Each fault replaces one leaf by a value that the text has nowhere, read here with plain comparisons of characters.
"""

import copy
import re
from collections.abc import Iterator
from random import Random
from typing import Any

from astudent.records import DatasetRow

FAULTS = ("time", "month", "digit", "name", "code")
SHAPES = {
    "time": re.compile(r"\d\d:\d\d"),
    "month": re.compile(r"\d{4}-\d\d"),
    "code": re.compile(r"[A-Z]{1,4}-?\d{4,}"),
    "name": re.compile(r"[^\W\d_]+(?: [^\W\d_]+)+"),
}
Leaf = tuple[tuple[str | int, ...], Any]


def leaves(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """All scalars with their places."""
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*place, step))
    else:
        yield place, value


def faulty(row: DatasetRow, kind: str, rng: Random, others: list[DatasetRow]) -> tuple[Any, str] | None:
    """The row's value with one fault, and the pointer to it; None where the row has nothing of that kind."""
    fitting = [leaf for leaf in leaves(row.ast_json) if _fits(leaf[1], kind, row.query)]
    if not fitting:
        return None
    place, old = rng.choice(fitting)
    new = _other(place, old, kind, rng, others)
    if new is None or _is_stated(new, kind, row):
        return None
    value = copy.deepcopy(row.ast_json)
    owner: Any = value
    for step in place[:-1]:
        owner = owner[step]
    owner[place[-1]] = new
    return value, "".join(f"/{step}" for step in place)


def _fits(leaf: Any, kind: str, text: str) -> bool:
    if kind == "digit":
        return isinstance(leaf, int | float) and not isinstance(leaf, bool) and abs(leaf) >= 100
    # names that stand in the text as they are; values of the schema's own lists are in lower case
    return isinstance(leaf, str) and bool(SHAPES[kind].fullmatch(leaf)) and (kind != "name" or _is_name(leaf, text))


def _is_name(leaf: str, text: str) -> bool:
    return leaf in text and all(word[0].isupper() for word in leaf.split())


def _other(place: tuple[str | int, ...], old: Any, kind: str, rng: Random, others: list[DatasetRow]) -> Any:
    if kind == "time":
        return rng.choice([f"{hour:02}:{minute:02}" for hour in range(7, 21) for minute in (0, 15, 30, 45)])
    if kind == "month":
        return f"{old[:5]}{rng.randint(1, 12):02}"
    if kind in ("digit", "code"):
        return type(old)(_with_another_digit(str(old), rng))
    names = [leaf for row in others for where, leaf in leaves(row.ast_json) if where == place]
    fresh = [name for name in names if not set(name.split()) & set(old.split()) and SHAPES["name"].fullmatch(name)]
    return rng.choice(fresh) if fresh else None


def _with_another_digit(text: str, rng: Random) -> str:
    digits = list(text)
    index = rng.choice([index for index, digit in enumerate(digits) if digit.isdecimal()])
    digits[index] = rng.choice([digit for digit in "123456789" if digit != digits[index]])
    return "".join(digits)


def _is_stated(new: Any, kind: str, row: DatasetRow) -> bool:
    """Whether the document has the new value too, as it is or (8:00 for 20:00) in doubt."""
    stated = [str(leaf) for _, leaf in leaves(row.ast_json)]
    if kind == "time":
        return any(f"{hour:02}{new[2:]}" in stated for hour in (int(new[:2]), (int(new[:2]) + 12) % 24))
    if kind == "month":
        return any(leaf.startswith(new) for leaf in stated)
    if kind in ("digit", "code"):
        return re.sub(r"\D", "", str(new)) in re.sub(r"\D", "", row.query)
    return new.casefold() in row.query.casefold()
