"""How rows spread over schemas, languages, lengths and enumerated values, in training and in tests.

A gap is a share that is more than MAX_FACTOR times as large on one side, by more than chance explains. Only schemas
that stand on both sides are compared: what an unseen schema asks is another matter.
"""

from collections.abc import Collection, Iterable, Iterator
from math import sqrt
from typing import Any

from astudent.language.schema_limits import subschemas
from astudent.quality.check import Check, GateRow, Place
from astudent.quality.violations import Violation

Json = Any
Fact = tuple[str, str, str]
MAX_FACTOR = 2.0
LEAST_EXPECTED = 20
"""Rows that the smaller side would have to show if both were alike."""
DEVIATIONS = 6.0
"""Standard errors between the two shares; chance reaches it in 1 of 500 million comparisons."""
MAX_FACTS = 400_000
"""Different values that are counted; those that come later are left out, and the report says so."""
LENGTHS = (5, 10, 20, 40, 80, 160, 10**9)
SIDES = ("train", "test")


class Distribution(Check):
    """Counts of (what, schema, value): in how many rows of `train` and of `test` it occurs."""

    def __init__(self, file: str) -> None:
        self._place = Place(file, 0)
        self._facts: dict[Fact, list[int]] = {}
        self._is_partial = False

    def row(self, row: GateRow) -> Iterable[Violation]:
        """Counts the row."""
        if row.is_sound and row.side in SIDES:
            side = SIDES.index(row.side)
            schema = f"{row.schema.key:016x}"
            words = len(row.query.split())
            length = next(f"up to {most} words" for most in LENGTHS if words <= most)
            values = set(_enumerated(row.ast, row.schema.once("choices", _choices)))
            for what, value in (("schemas", schema), ("languages", row.language or "-"), ("lengths", length), *values):
                self._count((what, schema, value), side)
        return ()

    def _count(self, fact: Fact, side: int) -> None:
        if fact not in self._facts and len(self._facts) >= MAX_FACTS:
            self._is_partial = True
            return
        self._facts.setdefault(fact, [0, 0])[side] += 1

    def finish(self) -> Iterator[Violation]:
        """The gaps between rows of `train` and of `test`."""
        rows = {
            schema: counts for (what, schema, _), counts in self._facts.items() if what == "schemas" and all(counts)
        }
        everything = [sum(counts[side] for counts in rows.values()) for side in (0, 1)]
        for (what, schema, value), counts in self._pooled(rows.keys()).items():
            gap = _gap(counts, rows.get(schema, everything))
            if gap is not None:
                of = f" of schema {schema}" if schema else ""
                found = f"{value}: {gap[0]:.1%} of train, {gap[1]:.1%} of test"
                yield self._place.finding(
                    "distribution_gap", found, f"shares within a factor of {MAX_FACTOR:g}{of}", what
                )

    def notes(self) -> Iterator[str]:
        """That values were left out."""
        if self._is_partial:
            yield f"Distributions: more than {MAX_FACTS:,} different values; later ones are not counted."

    def _pooled(self, shared: Collection[str]) -> dict[Fact, list[int]]:
        """Values of a member for each schema, all else over all schemas that both sides have."""
        pooled: dict[Fact, list[int]] = {}
        for (what, schema, value), counts in self._facts.items():
            if schema in shared:
                sums = pooled.setdefault((what, schema if what.startswith("/") else "", value), [0, 0])
                sums[:] = map(sum, zip(sums, counts, strict=True))
        return pooled


def _gap(counts: list[int], rows: list[int]) -> tuple[float, float] | None:
    """The two shares where they are further apart than chance explains."""
    train, test = (count / all_of_them for count, all_of_them in zip(counts, rows, strict=True))
    pooled = sum(counts) / sum(rows)
    error = sqrt(pooled * (1 - pooled) * (1 / rows[0] + 1 / rows[1]))
    is_wide = max(train, test) > MAX_FACTOR * min(train, test)
    is_no_chance = pooled * min(rows) >= LEAST_EXPECTED and abs(train - test) > DEVIATIONS * error
    return (train, test) if is_wide and is_no_chance else None


def _choices(schema: dict[str, Json]) -> frozenset[str]:
    """The strings that some member of the schema enumerates."""
    values = [value for node in subschemas(schema) for value in (*node.get("enum", ()), node.get("const"))]
    return frozenset(value for value in values if isinstance(value, str))


def _enumerated(ast: Json, choices: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(path without indexes, value) of each enumerated value and boolean in the AST."""
    pending: list[tuple[str, Json]] = [("", ast)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending += [(f"{path}/{key}", child) for key, child in value.items()]
        elif isinstance(value, list):
            pending += [(f"{path}/*", child) for child in value]
        elif isinstance(value, bool) or (isinstance(value, str) and value in choices):
            yield path, str(value)
