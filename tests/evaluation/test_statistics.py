"""Statistics against brute force and published values."""

import math
import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.evaluation.statistics import cohen_kappa, compare, mcnemar_exact, paired_bootstrap, wilson

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_published_values():
    # Newcombe (1998), Statistics in Medicine 17, table I: method 3, score without continuity correction.
    for successes, total, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson(successes, total)
        assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(COUNTS)
def test_wilson_ends_solve_the_score_equation(count: tuple[int, int]):
    successes, total = count
    interval = wilson(successes, total)
    share, z = successes / total, 1.959963984540054
    assert 0 <= interval.low <= share <= interval.high <= 1
    for end in (interval.low, interval.high):
        if 0 < end < 1:
            assert abs(share - end) / math.sqrt(end * (1 - end) / total) == pytest.approx(z, rel=1e-6)


@given(COUNTS)
def test_wilson_mirrors(count: tuple[int, int]):
    successes, total = count
    interval, mirror = wilson(successes, total), wilson(total - successes, total)
    assert interval.low == pytest.approx(1 - mirror.high, abs=1e-12)


def test_wilson_without_samples_knows_nothing():
    assert wilson(0, 0).low == 0 and wilson(0, 0).high == 1
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson(3, 2)


@given(st.integers(0, 11), st.integers(0, 11))
def test_mcnemar_equals_enumeration(wins: int, losses: int):
    count = wins + losses
    if count > 11:
        count = 11
        wins, losses = min(wins, 11), 11 - min(wins, 11)
    distance = abs(wins - losses)
    extreme = sum(abs(2 * sum(coins) - count) >= distance for coins in product((0, 1), repeat=count))
    assert mcnemar_exact(wins, losses) == pytest.approx(extreme / 2**count)


def test_mcnemar_known_and_large():
    assert mcnemar_exact(0, 0) == 1
    assert mcnemar_exact(10, 2) == pytest.approx(0.03857421875)
    assert 0 <= mcnemar_exact(1500, 900) < 1e-30
    assert mcnemar_exact(1200, 1200) == 1


def test_bootstrap_of_singletons_nears_the_normal_interval():
    rng = random.Random(1)
    differences = [rng.choice([-1.0, 0.0, 0.0, 1.0, 1.0]) for _ in range(400)]
    mean = sum(differences) / 400
    error = math.sqrt(sum((d - mean) ** 2 for d in differences) / 399 / 400)
    interval = paired_bootstrap(differences, range(400), resamples=4000)
    assert interval.low == pytest.approx(mean - 1.96 * error, abs=0.012)
    assert interval.high == pytest.approx(mean + 1.96 * error, abs=0.012)


def test_bootstrap_draws_whole_schemas():
    # Two schemas, one all won and one all even: any resample has mean 0, 0.5 or 1, however many requests there are.
    interval = paired_bootstrap([1.0] * 200 + [0.0] * 200, ["a"] * 200 + ["b"] * 200)
    assert (interval.low, interval.high) == (0, 1)


def test_bootstrap_is_a_function_of_its_seed():
    differences, clusters = [1.0, 0.0, -1.0, 1.0, 1.0, 0.0], "aabbcc"
    assert paired_bootstrap(differences, clusters, seed=7) == paired_bootstrap(differences, clusters, seed=7)


def test_compare_verdicts():
    clusters = [index % 20 for index in range(200)]
    half = [index % 2 == 0 for index in range(200)]
    assert compare(half, [True] * 200, clusters).verdict == "better"
    assert compare([True] * 200, half, clusters).verdict == "worse"
    same = compare(half, half, clusters)
    assert (same.verdict, same.p_value, same.difference, same.wins) == ("same", 1.0, 0.0, 0)


def test_compare_is_not_fooled_by_one_schema():
    # All thirty wins come from one schema of twenty: McNemar alone would call that certain.
    clusters = [index // 30 for index in range(600)]
    result = compare([False] * 600, [index < 30 for index in range(600)], clusters)
    assert result.p_value < 1e-6 and result.verdict == "same"


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=1, max_size=60))
def test_the_other_way_round_is_the_mirror(pairs: list[tuple[bool, bool, int]]):
    before, after, clusters = [a for a, _, _ in pairs], [b for _, b, _ in pairs], [c for _, _, c in pairs]
    there, back = compare(before, after, clusters), compare(after, before, clusters)
    assert (there.wins, there.losses, there.difference) == (back.losses, back.wins, -back.difference)
    assert (there.p_value, there.detectable) == (back.p_value, back.detectable)
    assert there.interval.low == pytest.approx(-back.interval.high)


def test_compare_refuses_unpaired_runs():
    with pytest.raises(ValueError):
        compare([True], [True, False], ["a"])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_kappa_by_definition(pairs: list[tuple[bool, bool]]):
    count = len(pairs)
    observed = sum(a == b for a, b in pairs) / count
    share_a, share_b = (sum(pair[i] for pair in pairs) / count for i in (0, 1))
    chance = share_a * share_b + (1 - share_a) * (1 - share_b)
    kappa = cohen_kappa([a for a, _ in pairs], [b for _, b in pairs])
    if kappa is None:
        assert chance == pytest.approx(1)
    else:
        assert kappa == pytest.approx((observed - chance) / (1 - chance), abs=1e-9)
