"""Relations that nobody declared, found in a stream of rows of one schema, and the few rows that break them.

The first rows are kept and searched for relations; all rows are then counted block by block, as columns. Memory holds
one block, the relations, and a bounded number of breaking rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from astudent.quality.invariants.breach import Breach
from astudent.quality.invariants.declared import Invariants
from astudent.quality.invariants.found.columns import Block
from astudent.quality.invariants.found.declared_members import DeclaredMembers
from astudent.quality.invariants.found.discover import discover
from astudent.quality.invariants.found.exceptions import without_exceptions
from astudent.quality.invariants.found.frame import Frame, at
from astudent.quality.invariants.found.orders import Gaps
from astudent.quality.invariants.found.relation import Outcome, Relation
from astudent.quality.invariants.found.terms import is_date

FIRST_ROWS = 400  # that relations are searched in
BLOCK_ROWS = 256
LEAST_ROWS = 40
MOST_BROKEN = 0.035  # 3% of the rows, with room for chance
MAX_KEPT = 2_000  # breaking rows remembered for one schema
MAX_NAMED = 200  # breaking rows of one relation that a finding names
SEED = 8
Json = Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A relation that nearly all rows keep: in how many it applies, how many break it, and which (at most MAX_NAMED).

    A row that breaks several relations is named under one, but counted in `broken` of each.
    """

    relation: str
    rows: int
    broken: int
    named: list[tuple[object, Breach]]


@dataclass(slots=True)
class _Count:
    """A relation with its counts over all rows; of an order, also how far its sides are apart."""

    relation: Relation
    rows: int = 0
    broken: int = 0
    gaps: Gaps | None = None

    def is_finding(self) -> bool:
        """Whether some rows break the relation, but so few that it is meant."""
        if not self.broken or self.rows < LEAST_ROWS or self.broken > MOST_BROKEN * self.rows + 1:
            return False
        return self.gaps is None or self.gaps.are_sharp()


class Finder:
    """Fed with every row of one schema; `findings` then tells what nearly all rows keep and few break.

    Of members that the schema's own rules, `invariants`, compute, nothing else is told.
    """

    def __init__(self, invariants: Invariants | None = None) -> None:
        self._declared = DeclaredMembers(invariants) if invariants else None
        self._block = Block()
        self._counts: list[_Count] | None = None
        self._breaking: dict[int, tuple[object, dict[int, Breach]]] = {}
        self._seen = 0

    def observe(self, reference: object, value: Json) -> None:
        """Takes in one row; `reference` is what a finding calls it."""
        self._block.add(reference, value)
        if self._declared and self._counts is None:
            self._declared.learn(value)
        if len(self._block.references) >= (FIRST_ROWS if self._counts is None else BLOCK_ROWS):
            self._work_off()

    def findings(self) -> list[Finding]:
        """What was found in all rows so far, the relations that most rows break first."""
        self._work_off()
        counts = self._counts or []
        chosen = {number: count for number, count in enumerate(counts) if count.is_finding()}
        named: dict[int, list[tuple[object, Breach]]] = {number: [] for number in chosen}
        for reference, breaches in self._breaking.values():
            broken = [number for number in breaches if number in chosen]
            if broken:
                number = most_specific({number: chosen[number].relation for number in broken})
                named[number].append((reference, breaches[number]))
        found = [
            Finding(count.relation.text(), count.rows, count.broken, named[number][:MAX_NAMED])
            for number, count in chosen.items()
            if named[number]
        ]
        return sorted(found, key=lambda finding: -finding.broken)

    def _work_off(self) -> None:
        """Searches the first block, counts any; then begins an empty one."""
        block = self._block
        if not block.references:
            return
        root = Frame(block.root)
        if self._counts is None:
            enough = len(block.references) >= LEAST_ROWS
            relations = discover(root, np.random.default_rng(SEED)) if enough else []
            declared = self._declared
            self._counts = [_Count(each) for each in relations if not (declared and declared.cover(each))]
        for number, count in enumerate(self._counts):
            self._count(number, count, at(root, count.relation.path), block)
        self._seen += len(block.references)
        self._block = Block()

    def _count(self, number: int, count: _Count, frame: Frame, block: Block) -> None:
        if not frame.size:
            return
        outcome = count.relation.outcome(frame)
        if block.skipped:
            known = ~np.isin(frame.rows, list(block.skipped))
            outcome = Outcome(outcome.applies & known, outcome.broken & known)
        if outcome.broken.any():
            outcome = without_exceptions(count.relation, frame, outcome)
        rows, broken = outcome.share_of_rows(frame.rows)
        count.rows += rows
        count.broken += broken
        if count.relation.is_order:
            count.gaps = count.gaps or Gaps("date" if is_date(count.relation.target, frame) else "number")
            count.gaps.add(count.relation.gaps(frame), outcome.applies, outcome.broken)
        if broken:
            self._keep_rows(number, count.relation, frame, outcome, block)

    def _keep_rows(self, number: int, relation: Relation, frame: Frame, outcome: Outcome, block: Block) -> None:
        indices = np.flatnonzero(outcome.broken)
        _, firsts = np.unique(frame.rows[indices], return_index=True)
        for index in indices[firsts].tolist():
            row = int(frame.rows[index])
            entry = self._breaking.get(self._seen + row)
            if entry is None and len(self._breaking) < MAX_KEPT:
                entry = self._breaking[self._seen + row] = (block.references[row], {})
            if entry is not None:
                entry[1][number] = relation.breach(frame, index)


def most_specific(relations: dict[int, Relation]) -> int:
    """Of the relations that one row breaks, the one that most likely says why.

    One wrong member breaks all relations that it takes part in: so the one that computes a member common to all, else
    the one of the innermost object with the fewest members.
    """
    common = set.intersection(*[relation.members() for relation in relations.values()])

    def rank(number: int) -> tuple[bool, int, int]:
        relation = relations[number]
        return (relation.target_member() not in common, -len(relation.path), len(relation.members()))

    return min(relations, key=rank)
