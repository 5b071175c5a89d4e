"""Equivalence says what a brute-force interpreter says."""

import random

import pytest
from brute_force import same_meaning
from small_language import DOMAINS, pair, whole_schema

from astudent.language.equivalence import equivalent
from astudent.language.validation import validator_for

SCHEMA = whole_schema()


def disagreements(seed, count):
    """Pairs on which equivalence and the interpreter differ, and how many of all pairs are equal."""
    rng = random.Random(seed)
    wrong, equal = [], 0
    for _ in range(count):
        a, b = pair(rng)
        verdict = equivalent(a, b, SCHEMA)
        truth = same_meaning(a, b, DOMAINS, random.Random(0))
        equal += truth
        if verdict.equal != truth:
            wrong.append((truth, a, b, verdict))
    return wrong, equal


def test_agrees_with_brute_force_on_500_pairs():
    wrong, equal = disagreements(1, 500)
    assert not wrong
    assert 100 < equal < 400  # both answers are tested


@pytest.mark.slow
def test_agrees_with_brute_force_on_10000_pairs():
    wrong, _ = disagreements(2, 10_000)
    assert not wrong
