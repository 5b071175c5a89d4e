import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.language.splits import (
    Registry,
    known_name_shares,
    normalised_request,
    seen_schema_shares,
    slot_splits,
    unseen_domains,
)

DOMAINS = [f"domain-{number}" for number in range(45)]


def test_unseen_domains_hold_their_share_and_follow_the_seed_alone():
    drawn = unseen_domains(DOMAINS, 0.2, seed=11)
    assert len(drawn) == 9
    assert drawn == unseen_domains(list(reversed(DOMAINS)), 0.2, seed=11)
    assert drawn != unseen_domains(DOMAINS, 0.2, seed=12)


def test_one_domain_at_least_is_unseen_and_one_is_trained_on():
    assert len(unseen_domains(["a", "b"], 0.01, 1)) == 1
    assert len(unseen_domains(["a", "b"], 0.99, 1)) == 1
    assert unseen_domains(["a"], 0.5, 1) == frozenset()
    assert unseen_domains(DOMAINS, 0.0, 1) == frozenset()


@given(st.floats(0, 0.45), st.floats(0, 0.45), st.text(), st.integers(1, 30))
def test_every_ten_slots_hold_each_share_to_within_one_row(align: float, test_seen: float, schema: str, tens: int):
    shares = seen_schema_shares(align, test_seen)
    counts = Counter(itertools.islice(slot_splits(shares, schema), 10 * tens))
    for split, share in shares.items():
        assert abs(counts[split] - share * 10 * tens) < 1.0 + 1e-6


@pytest.mark.parametrize("period", [2, 3, 5])
def test_no_split_goes_in_step_with_what_the_requests_alternate(period: int):
    shares = seen_schema_shares(0.1, 0.1)
    drawn = Counter(
        (split, slot % period)
        for number in range(100)
        for slot, split in enumerate(itertools.islice(slot_splits(shares, f"schema-{number}"), 30))
    )
    for split, share in shares.items():
        for remainder in range(period):
            expected = share * 3000 / period
            assert abs(drawn[split, remainder] - expected) < 4 * expected**0.5


def test_small_schemas_hold_the_shares_together():
    shares = seen_schema_shares(0.1, 0.1)
    drawn = Counter(next(slot_splits(shares, f"schema-{number}")) for number in range(1000))
    assert 60 < drawn["align"] < 140
    assert 60 < drawn["test_seen"] < 140


def test_requests_that_differ_in_case_punctuation_or_spaces_are_one():
    assert normalised_request("  Show orders, PLEASE! ") == normalised_request("show orders please")
    assert normalised_request("Les commandes « payées » ?") == "les commandes payées"
    assert normalised_request("cafe\u0301") == normalised_request("café")


def test_signs_that_carry_meaning_stay():
    assert normalised_request("price 3.5") != normalised_request("price 35")
    assert normalised_request("below -7") != normalised_request("below 7")


def test_a_key_belongs_to_the_side_that_took_it_first():
    registry = Registry()
    registry.register(["ast 1"], "train")
    assert registry.admits(["ast 1"], "train")
    assert not registry.admits(["ast 2", "ast 1"], "test_unseen")
    registry.register(["ast 2"], "test_seen")
    assert registry.admits(["ast 2"], "test_unseen")
    assert not registry.admits(["ast 2"], "align")


def test_known_names_are_counted_against_trained_schemas_only():
    names = {"a": frozenset({"x", "y"}), "b": frozenset({"x", "z"}), "c": frozenset({"w"}), "d": frozenset({"y"})}
    assert known_name_shares(names, {"a"}) == {"a": 1.0, "b": 0.5, "c": 0.0, "d": 1.0}
