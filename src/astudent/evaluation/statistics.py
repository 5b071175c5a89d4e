"""What a rate on a sample is worth: Wilson intervals, exact McNemar with Holm's adjustment, a paired bootstrap over whole schemas."""

import math
import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from astudent.evaluation.power import design_effect, detectable_difference

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """Both ends of an interval; `low <= high`."""

    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Run B against run A on the same samples; `difference` is B's rate minus A's.

    `wins` counts the samples that only B got right, `losses` those that only A did. `interval` comes from resampling
    whole schemas, so that forty requests of one schema do not count as forty independent witnesses. `p_adjusted` is
    McNemar's p after Holm, the same as `p_value` where one comparison stands alone. `detectable` is the smallest
    difference that these samples would have shown four times in five (None: none), at `design_effect`.
    """

    samples: int
    wins: int
    losses: int
    difference: float
    interval: Interval
    p_value: float
    p_adjusted: float
    verdict: Literal["better", "same", "worse"]
    design_effect: float
    detectable: float | None

    def among(self, p_adjusted: float) -> "Comparison":
        """The same as one of several, whose verdict needs the adjusted p."""
        return replace(self, p_adjusted=p_adjusted, verdict=_verdict(p_adjusted, self.difference, self.interval))


def wilson(successes: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval for a proportion; (0, 1) when nothing was counted."""
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total}")
    if total == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = successes / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == total else min(1.0, middle + half)
    return Interval(low, high)


def mcnemar_exact(wins: int, losses: int) -> float:
    """Two-sided exact p that `wins` against `losses` is chance: a fair coin over the samples that differ."""
    discordant = wins + losses
    tail = sum(math.comb(discordant, k) for k in range(min(wins, losses) + 1))
    # Whole numbers until the last division: 2**discordant overflows a float beyond a thousand samples.
    return min(1.0, 2 * tail / 2**discordant) if discordant else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p of a family, adjusted so that all verdicts at 5% are right together in 95% of such families (Holm 1979)."""
    adjusted, least = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def paired_bootstrap(
    differences: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    resamples: int = 2000,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """Percentile interval of the mean of paired `differences`, drawing whole clusters with replacement.

    Args:
        differences: B minus A, one per sample; (n,).
        clusters: the schema of each sample; (n,).
    """
    sums = _cluster_sums(differences, clusters)
    if not sums:
        return Interval(0.0, 0.0)
    rng = random.Random(seed)
    means = sorted(_mean_of(rng.choices(sums, k=len(sums))) for _ in range(resamples))
    return Interval(_quantile(means, (1 - confidence) / 2), _quantile(means, (1 + confidence) / 2))


def ratio_bootstrap(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    *,
    resamples: int = 2000,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> list[Interval | None]:
    """Percentile intervals of sum(after) / sum(before), both over the same samples drawn with replacement.

    Args:
        before, after: each sample's sums in k columns; (n, k), not negative.

    Returns one interval for each column, None where fewer than two samples have anything in it.
    """
    samples, rng = len(before), np.random.default_rng(seed)
    sums = np.empty((resamples, 2, before.shape[1]))
    for drawn in sums:
        times = np.bincount(rng.integers(samples, size=samples), minlength=samples)
        drawn[0], drawn[1] = times @ before, times @ after
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    intervals: list[Interval | None] = []
    for column in range(before.shape[1]):
        below, above = sums[:, 0, column], sums[:, 1, column]
        ratios = above[below > 0] / below[below > 0]  # a draw may miss all samples of a rare role
        known = np.count_nonzero(before[:, column]) > 1
        intervals.append(Interval(*map(float, np.quantile(ratios, ends))) if known else None)
    return intervals


def compare(before: Sequence[bool], after: Sequence[bool], clusters: Sequence[Hashable], seed: int = 0) -> Comparison:
    """Compares two runs sample by sample; ValueError when they do not pair up.

    The verdict needs both witnesses: McNemar's p below 0.05 and a clustered interval that leaves zero out.
    """
    pairs = list(zip(before, after, strict=True))
    wins = sum(b and not a for a, b in pairs)
    losses = sum(a and not b for a, b in pairs)
    differences = [float(b) - float(a) for a, b in pairs]
    interval = paired_bootstrap(differences, clusters, seed=seed)
    p_value, effect = mcnemar_exact(wins, losses), design_effect(differences, clusters)
    difference = (wins - losses) / len(pairs) if pairs else 0.0
    discordant = (wins + losses) / len(pairs) if pairs else 0.0
    return Comparison(
        samples=len(pairs),
        wins=wins,
        losses=losses,
        difference=difference,
        interval=interval,
        p_value=p_value,
        p_adjusted=p_value,
        verdict=_verdict(p_value, difference, interval),
        design_effect=effect,
        detectable=detectable_difference(len(pairs), discordant, effect),
    )


def _verdict(p_value: float, difference: float, interval: Interval) -> Literal["better", "same", "worse"]:
    if p_value >= 1 - CONFIDENCE or interval.low <= 0 <= interval.high:
        return "same"
    return "better" if difference > 0 else "worse"


def _cluster_sums(differences: Sequence[float], clusters: Sequence[Hashable]) -> list[tuple[float, int]]:
    """(sum, count) for each cluster, in order of first appearance."""
    totals: dict[Hashable, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for difference, cluster in zip(differences, clusters, strict=True):
        total, count = totals[cluster]
        totals[cluster] = (total + difference, count + 1)
    return list(totals.values())


def _mean_of(sums: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in sums) / sum(count for _, count in sums)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between the two nearest order statistics."""
    position = share * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def cohen_kappa(first: Sequence[bool], second: Sequence[bool]) -> float | None:
    """Agreement of two judges beyond chance, 1 at best; None when chance alone always agrees, or without samples."""
    count = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True))
    yes_first, yes_second = sum(first), sum(second)
    by_chance = yes_first * yes_second + (count - yes_first) * (count - yes_second)
    if by_chance == count * count:
        return None
    return (agreed * count - by_chance) / (count * count - by_chance)
