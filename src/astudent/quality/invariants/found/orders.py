"""Orders between members: start <= end. They need stricter proof than equations, since many hold mostly by chance.

An order is believed when nearly all objects keep it, when it would often be broken if the members of different objects
were paired, and when its edge is sharp: of differences as small as those of the breaking objects, far more lie on the
right side than on the wrong one. Where two members just happen to be mostly in one order, both sides look alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from astudent.quality.invariants.found.columns import Kind
from astudent.quality.invariants.found.features import Matrix, own_columns
from astudent.quality.invariants.found.frame import Frame
from astudent.quality.invariants.found.relation import Path, Relation
from astudent.quality.invariants.found.terms import Formula, Previous, Term

MAX_MEMBERS = 24
LEAST_OBJECTS = 90
LEAST_VALUES = 20
LEAST_RIGHT = 12
MAX_BLOCKS = 1_000
KEPT = 0.96  # share of a block's objects
PAIRED_WRONGLY = {"date": 0.1, "number": 0.25}  # the least share of breaks when members of different objects are paired
SHARPNESS = {"date": 15.0, "number": 30.0}  # right over wrong, among differences as small as the breaking ones


def order_relations(
    frame: Frame, path: Path, linked: set[frozenset[Term]], rng: np.random.Generator
) -> Iterator[Relation]:
    """Orders that may be meant; pairs that are `linked` by an equation are left to it."""
    for kind, dates in (("date", True), ("number", False)):
        members = list(own_columns(frame, dates=dates))[:MAX_MEMBERS]
        pairs: list[tuple[Term, Term]] = [pair for pair in permutations(members, 2) if frozenset(pair) not in linked]
        if dates and frame.parent is not None:
            pairs += [(Previous(member.key), member) for member in members]
        for low, high in pairs:
            relation = Relation(path, low, Formula(((1, high),)), is_order=True)
            if _is_meant(relation, frame, kind, rng):
                yield relation


def _is_meant(relation: Relation, frame: Frame, kind: str, rng: np.random.Generator) -> bool:
    low, high = relation.target.numbers(frame), relation.formula.numbers(frame)
    both = low.present & high.present
    if both.sum() < LEAST_OBJECTS:
        return False
    lows, highs = low.exact.with_decimals(6).values[both], high.exact.with_decimals(6).values[both]
    if min(len(np.unique(lows)), len(np.unique(highs))) < LEAST_VALUES or np.mean(lows <= highs) < KEPT:
        return False
    if isinstance(relation.target, Previous):
        # neighbours shuffled within the whole table break as often as not
        return bool(np.mean(lows < highs) > 0.5)
    return float(np.mean(lows[rng.permutation(len(lows))] > highs)) >= PAIRED_WRONGLY[kind]


@dataclass(slots=True)
class Gaps:
    """By how much the right side of an order exceeds the left one: where it is kept, in the first rows; where not."""

    kind: Kind
    kept: Matrix | None = None
    kept_of: int = 0
    broken: list[Matrix] = field(default_factory=list)
    broken_of: int = 0

    def add(self, gaps: Matrix, applies: Matrix, broken: Matrix) -> None:
        """Takes in one block."""
        if self.kept is None:
            self.kept, self.kept_of = gaps[applies & ~broken], int(applies.sum())
        self.broken_of += int(applies.sum())
        if broken.any() and len(self.broken) < MAX_BLOCKS:
            self.broken.append(gaps[broken])

    def are_sharp(self) -> bool:
        """Whether the order has an edge: few objects on its wrong side where many are on its right one."""
        if self.kept is None or not self.broken:
            return False
        sizes = np.abs(np.concatenate(self.broken))
        reach = float(np.median(sizes))
        wrong = float((sizes <= reach).sum()) / self.broken_of
        right = int(((self.kept > 0) & (self.kept <= reach)).sum())
        return right >= LEAST_RIGHT and right / self.kept_of >= SHARPNESS[self.kind] * wrong
