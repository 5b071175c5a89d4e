"""The smallest difference that a paired comparison could have shown, so that "same" is not read as "equal"."""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from statistics import NormalDist

POWER = 0.8
SIGNIFICANCE = 0.05
STEPS = 60
"""Halvings of an interval of width 1: beyond what a float tells apart."""


def design_effect(differences: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """How many times wider the variance of a mean is for being drawn in whole clusters; never below 1.

    The variance between clusters (linearised, K / (K - 1)) over that of samples drawn one by one: Kish's design effect
    (Survey Sampling, 1965, section 5.4), estimated from the very differences. A few clusters estimate it badly.

    Args:
        differences: B minus A, one per sample; (n,).
        clusters: the schema of each sample; (n,).
    """
    sums: dict[Hashable, float] = defaultdict(float)
    mean = sum(differences) / max(1, len(differences))
    for difference, cluster in zip(differences, clusters, strict=True):
        sums[cluster] += difference - mean
    alone = sum((difference - mean) ** 2 for difference in differences)
    if alone == 0 or len(sums) < 2:
        return 1.0
    together = sum(total**2 for total in sums.values()) * len(sums) / (len(sums) - 1)
    return max(1.0, together / alone)


def detectable_difference(
    samples: int,
    discordant: float,
    effect: float = 1.0,
    *,
    power: float = POWER,
    significance: float = SIGNIFICANCE,
) -> float | None:
    """The smallest difference of two rates that McNemar's two-sided test finds with the given power; None: none at all.

    Connor (1987), "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43,
    207-211, solved for the difference d: with n pairs of which a share psi differ,
    n d = z_a sqrt(n psi) + z_b sqrt(n (psi - d^2)). Two things are added: the 1 of Edwards' continuity correction (1948,
    Psychometrika 13, 185-187), since the test here is exact; and n is divided by the design effect, as Eliasziw and
    Donner (1991, Statistics in Medicine 10, 1981-1991) do for pairs in clusters. Where d would be more than psi, all pairs
    that differ must point one way, and psi is d.

    Args:
        samples: pairs.
        discordant: share of them that only one run got right, as observed.
        effect: `design_effect` of their differences.
    """
    count = samples / effect
    z_a, z_b = NormalDist().inv_cdf(1 - significance / 2), NormalDist().inv_cdf(power)

    def surplus(difference: float) -> float:
        differing = max(discordant, difference)
        by_chance = z_a * math.sqrt(count * differing) + z_b * math.sqrt(count * (differing - difference**2))
        return count * difference - 1 - by_chance

    if surplus(1.0) < 0:
        return None
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if surplus(middle) >= 0 else (middle, high)
    return high
