"""Signed sums that are zero in nearly all objects, found by meeting in the middle.

On a few objects each term becomes one 64-bit number, linear in its values there. Half of a relation then has the same
number as the other half, which one sort over all small halves shows. Objects that break a relation hide it, so several
samples are drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Any

import numpy as np

from astudent.quality.invariants.found.features import Features, Matrix

SAMPLE = 6  # objects
MAX_MATCHES = 3_000  # of one sample
MAX_RUN = 12  # halves with one number; more means that they are all trivial
Signature = tuple[tuple[int, int], ...]
"""(feature, sign) in the order of the features, the first sign positive."""


@dataclass(frozen=True, slots=True)
class Halves:
    """All signed sums of up to `size` features: their indices (padded with -1) and signs, one line each."""

    indices: Matrix
    signs: Matrix


@lru_cache(maxsize=8)
def halves(features: int, size: int) -> Halves:
    """Each sum once up to its sign: the first sign is positive."""
    indices: list[Any] = []
    signs: list[Any] = []
    for count in range(1, size + 1):
        chosen = np.array(list(combinations(range(features), count)), dtype=np.int32).reshape(-1, count)
        for tail in product((1, -1), repeat=count - 1):
            indices.append(np.pad(chosen, ((0, 0), (0, 3 - count)), constant_values=-1))
            row = np.array([1, *tail, *[0] * (3 - count)], dtype=np.int64)
            signs.append(np.broadcast_to(row, (len(chosen), 3)))
    return Halves(np.concatenate(indices), np.concatenate(signs))


def zero_sums(
    features: Features, size: int, samples: int, rng: np.random.Generator, wanted: Matrix | None = None
) -> set[Signature]:
    """Sums of up to twice `size` terms that are zero on some sample; whether they are elsewhere is for the caller.

    `wanted` (one boolean for each feature) leaves out sums without any feature that is.
    """
    found: set[Signature] = set()
    if len(features.terms) < 2:
        return found
    table = halves(len(features.terms), size)
    wanted = np.append(np.ones(len(features.terms), bool) if wanted is None else wanted, False)
    for rows in _samples(features, samples, rng):
        found.update(_zero_on(features, table, rows, rng, wanted))
    return found


def _samples(features: Features, samples: int, rng: np.random.Generator) -> Iterator[Matrix]:
    """Objects with many terms that are not zero come first: there an accident is rare."""
    richness = (features.matrix != 0).sum(axis=0) + rng.random(features.matrix.shape[1])
    best = np.argsort(-richness)
    count = features.matrix.shape[1]
    for number in range(samples):
        # the richest objects may be of one kind: every second sample comes from all of them
        pool = best[: max(SAMPLE, count // 3)] if number % 2 == 0 else best
        if len(pool) >= SAMPLE:
            yield rng.choice(pool, SAMPLE, replace=False)


def _zero_on(
    features: Features, table: Halves, rows: Matrix, rng: np.random.Generator, wanted: Matrix
) -> Iterator[Signature]:
    values = features.matrix[:, rows]
    weights = rng.integers(1, 2**62, size=SAMPLE, dtype=np.int64) | 1
    codes = np.append((values * weights).sum(axis=1), 0)  # wraps around, which is linear too
    usable = np.append(values.any(axis=1), True)
    lines = np.flatnonzero(usable[table.indices].all(axis=1))
    indices, signs = table.indices[lines], table.signs[lines]
    numbers = (codes[indices] * signs).sum(axis=1)
    zero, has_wanted = numbers == 0, wanted[indices].any(axis=1)
    for line in np.flatnonzero(zero & has_wanted)[:MAX_MATCHES]:
        yield from _signature(features, [(indices[line], signs[line])])
    for one, other in _equal_pairs(np.where(numbers < 0, -numbers, numbers), ~zero, has_wanted):
        flip = -1 if numbers[one] == numbers[other] else 1
        yield from _signature(features, [(indices[one], signs[one]), (indices[other], flip * signs[other])])


def _equal_pairs(keys: Matrix, allowed: Matrix, has_wanted: Matrix) -> Iterator[tuple[int, int]]:
    """Pairs of lines with one key; lines are sorted by their number of terms, so the shortest come first."""
    lines = np.flatnonzero(allowed)
    order = lines[np.argsort(keys[lines], kind="stable")]
    pairs: list[Matrix] = []
    for distance in range(1, MAX_RUN):
        same = np.flatnonzero(keys[order[:-distance]] == keys[order[distance:]]) if len(order) > distance else []
        if not len(same):
            break
        pairs.append(np.stack([order[same], order[np.asarray(same) + distance]], axis=1))
    if pairs:
        joined = np.concatenate(pairs)
        joined = joined[has_wanted[joined].any(axis=1)]
        yield from joined[np.argsort(joined.sum(axis=1), kind="stable")][:MAX_MATCHES].tolist()


def _signature(features: Features, sides: list[tuple[Matrix, Matrix]]) -> Iterator[Signature]:
    total: dict[int, int] = {}
    for indices, signs in sides:
        for index, sign in zip(indices.tolist(), signs.tolist(), strict=True):
            if index >= 0:
                total[index] = total.get(index, 0) + sign
    terms = sorted((index, sign) for index, sign in total.items() if sign)
    if len(terms) < 2 or any(abs(sign) > 1 for _, sign in terms):
        return
    # days only have differences
    if sum(sign for index, sign in terms if features.is_date[index]):
        return
    first = terms[0][1]
    yield tuple((index, sign * first) for index, sign in terms)


def holding(features: Features, signature: Signature) -> Matrix:
    """Where the sum is zero."""
    total = sum(sign * features.matrix[index] for index, sign in signature)
    return np.asarray(total == 0)
