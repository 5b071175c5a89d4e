"""The smallest difference that could have been shown, against simulated comparisons with that very difference."""

import numpy as np
import pytest

from astudent.evaluation.power import design_effect, detectable_difference
from astudent.evaluation.statistics import compare, mcnemar_exact


@pytest.mark.parametrize(("samples", "discordant"), [(60, 0.3), (300, 0.05), (800, 0.2), (3000, 0.1)])
@pytest.mark.parametrize("power", [0.8, 0.5])
def test_mcnemar_finds_it_as_often_as_promised(samples: int, discordant: float, power: float) -> None:
    """Connor's formula is a normal approximation: few pairs that differ find a little more than it promises, never much less."""
    difference = detectable_difference(samples, discordant, power=power)
    assert difference is not None and difference < discordant
    assert found_share(samples, discordant, difference) == pytest.approx(power + 0.035, abs=0.075)


def test_half_of_it_is_missed_most_of_the_time() -> None:
    difference = detectable_difference(800, 0.2)
    assert difference is not None
    assert found_share(800, 0.2, difference / 2) < 0.4


def found_share(samples: int, discordant: float, difference: float) -> float:
    shares = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    draws = np.random.default_rng(samples).multinomial(samples, shares, size=2000)
    return float(np.mean([mcnemar_exact(int(wins), int(losses)) < 0.05 for wins, losses, _ in draws]))


def test_where_nothing_differed_all_that_differ_must_point_one_way() -> None:
    difference = detectable_difference(800, 0.0)
    assert difference is not None
    wins = np.random.default_rng(0).binomial(800, difference, size=2000)
    assert np.mean([mcnemar_exact(int(count), 0) < 0.05 for count in wins]) >= 0.8


def test_five_pairs_can_show_nothing() -> None:
    assert mcnemar_exact(5, 0) > 0.05 and detectable_difference(5, 1.0) is None
    assert mcnemar_exact(6, 0) < 0.05
    assert detectable_difference(0, 0.0) is None


def test_the_verdict_on_clustered_samples_finds_it_as_often_as_promised() -> None:
    """Schemas of 10 requests that are won or lost together: the verdict needs McNemar and the clustered interval."""
    effects, found, discordant, schemas = [], 0, 0.3, 60
    clusters = [index // 10 for index in range(600)]
    effect = 1 + 9 * 0.5  # half of the schemas' requests go together: Kish's 1 + (m - 1) rho
    difference = detectable_difference(600, discordant, effect)
    assert difference is not None
    rng, trials = np.random.default_rng(1), 100
    for _ in range(trials):
        drawn = correlated(rng, schemas, discordant, difference)
        result = compare([value < 0 for value in drawn], [value > 0 for value in drawn], clusters)
        effects.append(result.design_effect)
        found += result.verdict == "better"
    assert np.mean(effects) == pytest.approx(effect, rel=0.15)
    assert 0.71 < found / trials < 0.95


def correlated(rng: np.random.Generator, schemas: int, discordant: float, difference: float) -> list[int]:
    """1 where only the second run is right, -1 where only the first is; two requests of a schema agree by a common draw
    with probability 1/2 = 0.71 * 0.71."""
    shares = [(discordant - difference) / 2, 1 - discordant, (discordant + difference) / 2]
    common = rng.choice([-1, 0, 1], p=shares, size=schemas).repeat(10)
    own = rng.choice([-1, 0, 1], p=shares, size=10 * schemas)
    return np.where(rng.random(10 * schemas) < np.sqrt(0.5), common, own).tolist()


def test_the_design_effect_of_samples_drawn_one_by_one_is_one() -> None:
    differences = np.random.default_rng(3).choice([-1.0, 0.0, 1.0], size=4000).tolist()
    assert design_effect(differences, range(4000)) == pytest.approx(1, abs=0.01)
    assert design_effect([1.0, 1.0, 0.0, 0.0] * 10, [index // 2 for index in range(40)]) == pytest.approx(2, rel=0.06)
    assert design_effect([0.0] * 8, "aabbccdd") == design_effect([], []) == 1


def test_fewer_samples_and_more_clustering_show_less() -> None:
    found = [detectable_difference(count, 0.2) for count in (3000, 800, 200, 50)]
    assert None not in found and found == sorted(found, key=float)  # type: ignore[arg-type]
    assert detectable_difference(800, 0.2, 4.0) == pytest.approx(detectable_difference(200, 0.2))
