"""One table of a block, ready to compute with: columns, elements of its arrays, and the enclosing objects' columns."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from astudent.quality.invariants.breach import pointer
from astudent.quality.invariants.found.columns import COUNT, MISSING, Key, Kind, Table
from astudent.quality.invariants.found.exact import Exact, Integers

Mask = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A number for each object of a table; `present` says where it is there (elsewhere it is 0)."""

    exact: Exact
    present: Mask


class Frame:
    """The view of one table; all arrays have one entry for each of its objects."""

    def __init__(self, table: Table, parent: "Frame | None" = None) -> None:
        self.table = table
        self.parent = parent
        self.size = len(table.rows)
        self.rows = np.frombuffer(table.rows, dtype=np.int64) if self.size else np.zeros(0, np.int64)
        self.parents = np.frombuffer(table.parents, dtype=np.int64) if self.size else np.zeros(0, np.int64)
        self.kinds: dict[Key, Kind] = {}
        self._columns: dict[Key, Numbers] = {}
        for key, column, kind in table.usable():
            raw = np.frombuffer(column, dtype=np.int64)
            present = raw != MISSING
            self.kinds[key] = kind
            self._columns[key] = Numbers(Exact.of_millionths(np.where(present, raw, 0)), present)
        self.children = {key: Frame(child, self) for key, child in table.children.items()}

    def column(self, key: Key) -> Numbers:
        """A member's numbers; nowhere present when the block does not have it."""
        return self._columns.get(key) or Numbers(Exact(np.zeros(self.size, np.int64), 0), np.zeros(self.size, bool))

    def child(self, key: Key) -> "Frame":
        """The elements of an array; of one that the block does not have, none."""
        return self.children.get(key) or Frame(Table((*self.table.place, *key, "[]")), self)

    @cached_property
    def bounds(self) -> Integers:
        """Where the elements of each parent start; one entry more than parents, the last one the end."""
        assert self.parent is not None
        return np.searchsorted(self.parents, np.arange(self.parent.size + 1))

    def has_array(self, key: Key) -> Mask:
        """Where the object has the array, be it empty."""
        return self.column((*key, COUNT)).present

    def pointer(self, index: int, key: Key) -> str:
        """The JSON pointer of a member of the object `index`."""
        steps: list[str | int] = [step for step in key if step != COUNT]
        frame: Frame | None = self
        while frame is not None and frame.parent is not None:
            array_key = frame.table.place[len(frame.parent.table.place) : -1]
            steps = [*array_key, frame.table.positions[index], *steps]
            index, frame = int(frame.parents[index]), frame.parent
        return pointer(tuple(steps))


def walk(frame: Frame) -> list[Frame]:
    """The frame and all below it."""
    return [frame, *(inner for child in frame.children.values() for inner in walk(child))]


def at(root: Frame, path: tuple[Key, ...]) -> Frame:
    """The frame that the array keys of `path` lead to."""
    for key in path:
        root = root.child(key)
    return root


def path_of(frame: Frame) -> tuple[Key, ...]:
    """The array keys that lead from the root to the frame."""
    keys: list[Key] = []
    while frame.parent is not None:
        keys.append(frame.table.place[len(frame.parent.table.place) : -1])
        frame = frame.parent
    return tuple(reversed(keys))
