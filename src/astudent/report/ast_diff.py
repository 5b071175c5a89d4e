"""Two ASTs -> where they differ, place by place.

The parts of `and` and `or` are paired by likeness, whatever their order; the items of every other array keep theirs, so
that one item too many does not make all that follow it differ.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

from astudent.language.serialise import dumps

Json = Any
Place = tuple[str | int, ...]
"""Keys and indices from the root on."""
Pair = tuple[int | None, int | None]
"""Indices of two items that belong together; None where one side has none."""

CONNECTIVES = ("and", "or")
MOST_DEPTH = 64  # a deeper part is compared as a whole
MOST_ITEMS = 100  # longer arrays are compared index by index


@dataclass(frozen=True)
class Difference:
    """One place that differs. The place (and value) of a side that has nothing there is None."""

    known_at: Place | None
    answer_at: Place | None
    known: Json = None
    answer: Json = None

    @property
    def kind(self) -> Literal["changed", "missing", "added"]:
        """`missing`: the answer lacks it; `added`: the answer has too much."""
        if self.answer_at is None:
            return "missing"
        return "added" if self.known_at is None else "changed"

    @property
    def place(self) -> Place:
        """In the known AST; of something added, in the answer."""
        return self.known_at if self.known_at is not None else self.answer_at or ()

    @property
    def path(self) -> str:
        """`where.and[0].value`; `$` for the whole."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place)
        return "".join(steps).removeprefix(".") or "$"


def differences(known: Json, answer: Json) -> list[Difference]:
    """Every place that differs, in the known AST's order; 5 and 5.0 are one number."""
    return list(_differences(known, answer, (), ()))


def _differences(known: Json, answer: Json, at: Place, there: Place) -> Iterator[Difference]:
    if len(at) < MOST_DEPTH and isinstance(known, dict) and isinstance(answer, dict) and known.keys() & answer.keys():
        for key in dict.fromkeys([*known, *answer]):
            yield from _member(known, answer, (at, key), (there, key))
    elif len(at) < MOST_DEPTH and isinstance(known, list) and isinstance(answer, list):
        pairs = _by_likeness(known, answer) if at and at[-1] in CONNECTIVES else _in_order(known, answer)
        for one, other in pairs:
            yield from _member(known, answer, (at, one), (there, other))
    elif dumps(known) != dumps(answer):
        yield Difference(at, there, known, answer)


def _member(known: Json, answer: Json, at: tuple[Place, Any], there: tuple[Place, Any]) -> Iterator[Difference]:
    """What differs below one key of both objects, or one pair of items of both arrays."""
    (place, step), (other_place, other_step) = at, there
    if not _has(answer, other_step):
        yield Difference((*place, step), None, known=known[step])
    elif not _has(known, step):
        yield Difference(None, (*other_place, other_step), answer=answer[other_step])
    else:
        yield from _differences(known[step], answer[other_step], (*place, step), (*other_place, other_step))


def _has(container: Json, step: str | int | None) -> bool:
    return step in container if isinstance(container, dict) else step is not None


def _in_order(known: Sequence[Json], answer: Sequence[Json]) -> Iterator[Pair]:
    if max(len(known), len(answer)) > MOST_ITEMS:
        yield from zip_longest(range(len(known)), range(len(answer)))
        return
    matcher = SequenceMatcher(None, [dumps(item) for item in known], [dumps(item) for item in answer], autojunk=False)
    for _, start, end, other_start, other_end in matcher.get_opcodes():
        yield from zip_longest(range(start, end), range(other_start, other_end))


def _by_likeness(known: Sequence[Json], answer: Sequence[Json]) -> Iterator[Pair]:
    """The most alike first; parts with nothing in common are no pair."""
    if max(len(known), len(answer)) > MOST_ITEMS:
        yield from _in_order(known, answer)
        return
    spelled, others = list(map(_spelled, known)), list(map(_spelled, answer))
    likeness = {(i, j): _likeness(one, other) for i, one in enumerate(spelled) for j, other in enumerate(others)}
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for (i, j), common in sorted(likeness.items(), key=lambda found: -found[1]):
        if common and i not in paired and j not in taken:
            paired[i] = j
            taken.add(j)
    yield from ((i, paired.get(i)) for i in range(len(known)))
    yield from ((None, j) for j in range(len(answer)) if j not in taken)


def _spelled(part: Json) -> dict[str, str]:
    """The members of an object as text, under "" the whole; a condition and its negation have the same members."""
    affirmed = part["not"] if isinstance(part, dict) and part.keys() == {"not"} else part
    members = affirmed.items() if isinstance(affirmed, dict) else ()
    return {**{key: dumps(value) for key, value in members}, "": dumps(part)}


def _likeness(one: Mapping[str, str], other: Mapping[str, str]) -> float:
    """How many members two objects share, those with the same value counted double; equal parts are most alike."""
    if one[""] == other[""]:
        return math.inf
    shared = one.keys() & other.keys() - {""}
    same = sum(one[key] == other[key] for key in shared)
    return 2 * same + len(shared) if same or any(one[key][0] in "{[" for key in shared) else 0
