"""Figures against independent references: statsmodels, SciPy and jsonschema."""

import json
import random
import statistics
from typing import Any

import jsonschema
import numpy as np
import pytest
import scipy.stats
import statsmodels.stats.contingency_tables as tables
from asts import JSON
from hypothesis import given, settings
from hypothesis import strategies as st
from small_language import nearly, pair, whole_schema
from statsmodels.stats import inter_rater, multitest, proportion

from astudent.evaluation.leaf_scores import string_score
from astudent.evaluation.metrics import Scorer
from astudent.evaluation.statistics import cohen_kappa, holm, mcnemar_exact, paired_bootstrap, wilson
from astudent.evaluation.summary import latency

COUNTS = st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@given(COUNTS)
def test_wilson_is_that_of_statsmodels(count: tuple[int, int]) -> None:
    found = wilson(*count)
    low, high = proportion.proportion_confint(*count, alpha=0.05, method="wilson")
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_that_of_statsmodels_and_of_scipy(wins: int, losses: int) -> None:
    reference: Any = tables.mcnemar(np.array([[7, wins], [losses, 9]]), exact=True)
    assert mcnemar_exact(wins, losses) == pytest.approx(reference.pvalue, rel=1e-9)
    if wins + losses:
        assert mcnemar_exact(wins, losses) == pytest.approx(scipy.stats.binomtest(wins, wins + losses).pvalue, rel=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=80))
def test_kappa_is_that_of_statsmodels(pairs: list[tuple[bool, bool]]) -> None:
    counts = np.array([[sum(pair == (a, b) for pair in pairs) for b in (False, True)] for a in (False, True)])
    found = cohen_kappa([a for a, _ in pairs], [b for _, b in pairs])
    if found is not None:
        assert found == pytest.approx(inter_rater.cohens_kappa(counts, return_results=False), abs=1e-9)
    else:
        assert counts.max() == len(pairs)


@settings(max_examples=12)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(list(multitest.multipletests(p_values, method="holm")[1]))


def test_the_bootstrap_of_single_rows_is_that_of_scipy() -> None:
    rng = random.Random(4)
    differences = [rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0]) for _ in range(500)]
    found = paired_bootstrap(differences, range(500), resamples=3000)
    reference = scipy.stats.bootstrap(
        (differences,), np.mean, n_resamples=3000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (found.low, found.high) == (
        pytest.approx(reference.low, abs=0.006),
        pytest.approx(reference.high, abs=0.006),
    )


def test_the_bootstrap_of_schemas_is_as_wide_as_an_anova_of_them_says() -> None:
    """Schemas of equal size: the mean is that of their means, whose standard error is known."""
    rng = np.random.default_rng(2)
    means = rng.normal(0, 0.3, 60).repeat(8)
    differences = np.clip(np.round(means + rng.normal(0, 0.5, 480)), -1, 1)
    found = paired_bootstrap(differences.tolist(), [index // 8 for index in range(480)], resamples=4000)
    error = scipy.stats.sem(differences.reshape(60, 8).mean(axis=1))
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.06)


def test_schema_valid_is_what_jsonschema_says() -> None:
    schema, rng = whole_schema(), random.Random(5)
    reference = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    scorer, known, verdicts = Scorer(schema), {"limit": 1}, []
    for _ in range(150):
        answer = spoiled(nearly(pair(rng)[0], rng, ["price", "name", "state"]), rng)
        verdicts.append(reference.is_valid(answer))
        assert scorer.score_text(json.dumps(answer), known).schema_valid == verdicts[-1], answer
    assert 30 < sum(verdicts) < 120, "both kinds are there"


def spoiled(answer: Any, rng: random.Random) -> Any:
    """Half of the time, one place of the answer replaced by something else."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, value in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
            places.append((node, key))
            if isinstance(value, dict | list):
                walk(value)

    walk(answer)
    if places and rng.random() < 0.5:
        node, key = rng.choice(places)
        node[key] = rng.choice([None, True, -1, 10**9, "", "2024-02-30", "price", [], {}, {"not": {}}, [1, 2, 3]])
    return answer


OBJECTS = st.dictionaries(st.text("ab", max_size=2), JSON, max_size=3)


@given(OBJECTS, OBJECTS)
def test_json_exact_is_const_of_jsonschema(answer: Any, known: Any) -> None:
    scorer = Scorer({"type": "object"})
    for given_answer in (answer, known, json.loads(json.dumps(known), parse_int=float)):
        found = scorer.score(given_answer, known).json_exact
        assert found == jsonschema.Draft202012Validator({"const": known}).is_valid(given_answer)


def test_json_exact_takes_no_canonical_form() -> None:
    first, second = ({"field": "open", "operator": "eq", "value": value} for value in (True, False))
    known, turned = {"where": {"and": [first, second]}}, {"where": {"and": [second, first]}}
    score = Scorer(whole_schema()).score(turned, known)
    assert score.canonical_equal and not score.json_exact and not score.exact_match


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_string_errors_are_edits(answer: str, known: str) -> None:
    found = string_score({"a": [answer], "b": 3}, {"a": [known, "xyz"], "b": 4})
    assert (found.errors, found.characters) == (edits(answer, known) + 3, len(known) + 3)


def edits(a: str, b: str) -> int:
    """The textbook's recursion."""
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return edits(a[1:], b[1:])
    return 1 + min(edits(a[1:], b), edits(a, b[1:]), edits(a[1:], b[1:]))


def test_latency_percentiles(make_rows: Any) -> None:
    seconds = [0.3, 0.1, 0.2, 4.0, 0.5, 0.4]
    found = latency(make_rows(latency_seconds=seconds))
    assert found["median_latency_seconds"] == pytest.approx(statistics.median(seconds))
    assert found["p90_latency_seconds"] == pytest.approx(scipy.stats.scoreatpercentile(seconds, 90))
    assert found["mean_latency_seconds"] == pytest.approx(statistics.fmean(seconds))
