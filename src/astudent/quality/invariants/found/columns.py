"""Rows as columns of integers: what a block of values holds in numbers and dates, object by object.

A table has one line for each object that stands at its place (the root, or the elements of one array), and one column
for each member that is a number or an ISO date in every line where it is a scalar at all. Numbers count in millionths,
dates in millionths of a day.
"""

import datetime
import itertools
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from astudent.quality.invariants.values import PLAIN_NUMBER, instant

PLACES = 6
SCALE = 10**PLACES
MISSING = -(2**63)
COUNT = "\0count"  # the name of the column that holds an array's length
LARGEST = 9 * 10**12  # what fits into 63 bits, in millionths
EXACT_FLOAT = 4_000_000_000.0  # below it a float in millionths is exact
MAX_COLUMNS = 80  # of one table; further members are left out
MAX_NODES = 5_000  # of one value; a larger one is left out
MAX_DEPTH = 16
MAX_TABLES = 30
EPOCH = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)
Json = Any
Key = tuple[str, ...]
Kind = Literal["number", "date"]


@dataclass(slots=True)
class Table:
    """The objects of one place. `rows`, `parents` and `positions` have one entry for each object."""

    place: Key
    parent: "Table | None" = None
    rows: array[int] = field(default_factory=lambda: array("q"))
    parents: array[int] = field(default_factory=lambda: array("q"))
    positions: array[int] = field(default_factory=lambda: array("q"))
    columns: dict[Key, array[int]] = field(default_factory=dict)
    kinds: dict[Key, Kind] = field(default_factory=dict)
    mixed: set[Key] = field(default_factory=set)
    children: dict[Key, "Table"] = field(default_factory=dict)

    def put(self, key: Key, value: int, kind: Kind) -> None:
        """Enters the value of the newest object's member; a member of two kinds is no column."""
        column = self.columns.get(key)
        if column is None:
            if len(self.columns) >= MAX_COLUMNS:
                return
            column = self.columns[key] = array("q")
            self.kinds.setdefault(key, kind)
        if self.kinds[key] != kind:
            self.mixed.add(key)
        gap = len(self.rows) - 1 - len(column)
        if gap > 0:
            column.extend(itertools.repeat(MISSING, gap))
        if gap >= 0:
            column.append(value)

    def usable(self) -> Iterator[tuple[Key, array[int], Kind]]:
        """The columns that are numbers or dates throughout, each as long as the table."""
        for key, column in self.columns.items():
            if key not in self.mixed:
                column.extend(itertools.repeat(MISSING, len(self.rows) - len(column)))
                yield key, column, self.kinds[key]


class Block:
    """Some rows of one schema as tables; `references` say which rows they are."""

    def __init__(self) -> None:
        self.references: list[object] = []
        self.skipped: set[int] = set()
        self.tables = 1
        self.root = Table(())
        self._left = 0

    def add(self, reference: object, value: Json) -> None:
        """Takes in one row. A value that is too large or deep counts as a row of which nothing is known."""
        row = len(self.references)
        self.references.append(reference)
        self._left = MAX_NODES
        if isinstance(value, dict):
            self._open(self.root, row, 0, 0)
            self._members(self.root, row, (), value, MAX_DEPTH)
        elif isinstance(value, list):
            self._open(self.root, row, 0, 0)
            self._elements(self.root, row, (), value, MAX_DEPTH)
        if self._left < 0:
            self.skipped.add(row)

    def _open(self, table: Table, row: int, parent: int, position: int) -> None:
        table.rows.append(row)
        table.parents.append(parent)
        table.positions.append(position)

    def _members(self, table: Table, row: int, prefix: Key, value: dict[str, Json], depth: int) -> None:
        self._left -= len(value)
        if depth <= 0:
            self._left = -1
        if self._left < 0:
            return
        for name, item in value.items():
            if isinstance(item, dict):
                self._members(table, row, (*prefix, name), item, depth - 1)
            elif isinstance(item, list):
                self._elements(table, row, (*prefix, name), item, depth - 1)
            elif item is not None and item is not True and item is not False:
                self._scalar(table, (*prefix, name), item)

    def _elements(self, table: Table, row: int, key: Key, items: list[Json], depth: int) -> None:
        self._left -= len(items)
        table.put((*key, COUNT), len(items) * SCALE, "number")
        child = self._child(table, key)
        if child is None or depth <= 0 or self._left < 0:
            self._left = self._left if child is not None and depth > 0 else -1
            return
        parent = len(table.rows) - 1
        for position, item in enumerate(items):
            self._open(child, row, parent, position)
            if isinstance(item, dict):
                self._members(child, row, (), item, depth - 1)
            elif isinstance(item, list):
                self._elements(child, row, (), item, depth - 1)
            elif item is not None and not isinstance(item, bool):
                self._scalar(child, (), item)

    def _child(self, table: Table, key: Key) -> Table | None:
        child = table.children.get(key)
        if child is None and self.tables < MAX_TABLES:
            child = table.children[key] = Table((*table.place, *key, "[]"), table)
            self.tables += 1
        return child

    def _scalar(self, table: Table, key: Key, item: Json) -> None:
        if isinstance(item, str):
            read = _from_text(item)
            if read is None:
                table.mixed.add(key)
            else:
                table.put(key, *read)
            return
        number = millionths(item)
        if number is None:
            table.mixed.add(key)
        else:
            table.put(key, number, "number")


def millionths(value: float) -> int | None:
    """The number in millionths, rounded to one; None when it is too large."""
    if isinstance(value, int):
        return value * SCALE if -LARGEST < value < LARGEST else None
    if -EXACT_FLOAT < value < EXACT_FLOAT:
        return round(value * SCALE)
    return round(Decimal(repr(value)) * SCALE) if -LARGEST < value < LARGEST else None


def _from_text(text: str) -> tuple[int, Kind] | None:
    """A date or a number that is written as a text; None for any other text."""
    if not text or text[0] not in "-0123456789" or len(text) > 40:
        return None
    if len(text) >= 10 and text[4] == "-":
        moment = instant(text)
        return None if moment is None else ((moment - EPOCH) // MICROSECOND * SCALE // 86_400_000_000, "date")
    if not PLAIN_NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return (round(number * SCALE), "number") if abs(number) < LARGEST else None
