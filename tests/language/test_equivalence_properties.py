"""Equivalence on random ASTs of random languages: blind to spelling, awake to meaning. Truth is the brute-force interpreter."""

import random

import pytest
from brute_force import answer
from measure_equivalence import Figures, measure
from random_languages import ast, language
from random_tables import witness
from rewrites import REWRITES, rewritten

LEAST_CAUGHT = 0.995


def check(figures: Figures) -> None:
    assert figures.told_apart == 0, figures.faults[:3]
    assert figures.caught_share >= LEAST_CAUGHT, figures.faults[:3]


def test_rewrites_are_never_told_apart_and_changes_are_caught():
    figures = measure(60, seed=5)
    check(figures)
    assert figures.rewritten > 50 and figures.changed.total() > 50


@pytest.mark.slow
def test_on_10000_asts():
    figures = measure(10_000, seed=1)
    print("\n".join(figures.lines()))
    check(figures)
    assert set(figures.rewrites) == set(REWRITES)


def test_no_rewrite_changes_what_the_interpreter_answers():
    """The rewrites themselves, held against the truth: else a wrong rewrite would blame equivalence."""
    rng = random.Random(6)
    for _ in range(12):
        schema, vocabulary = language(rng)
        first = ast(schema, vocabulary, rng)
        second, names = rewritten(first, vocabulary, rng, 3)
        assert witness(first, second, vocabulary, rng) is None, names


def test_a_witness_is_a_table_with_two_answers():
    _, vocabulary = language(random.Random(7))
    name = next(field.name for field in vocabulary.fields.values() if field.type in ("number", "integer"))
    above = {"where": {"field": name, "operator": "gt", "value": 3}}
    table = witness(above, {"where": above["where"] | {"operator": "gte"}}, vocabulary, random.Random(8))
    assert table is not None and answer(above, table) == [] and table[0][name] == 3
    assert witness(above, above, vocabulary, random.Random(8)) is None
