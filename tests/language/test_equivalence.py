"""Equivalence says what a brute-force interpreter says."""

import random

import pytest
from brute_force import same_meaning
from small_language import DOMAINS, pair, whole_schema

from astudent.language.equivalence import equivalent

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


PRICE = {"field": "price", "operator": "gt", "value": 2}
NAME = {"field": "name", "operator": "contains", "value": "ab"}
CHEAP = {"field": "price", "operator": "eq", "value": 2}


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ({"where": PRICE}, {"where": {"not": PRICE | {"operator": "lte"}}}, True),
        ({"where": PRICE}, {"where": PRICE | {"operator": "gte"}}, False),
        ({"where": PRICE | {"field": "count"}}, {"where": {"field": "count", "operator": "gte", "value": 3}}, True),
        ({"where": {"and": [PRICE, NAME]}}, {"where": {"not": {"or": [{"not": PRICE}, {"not": NAME}]}}}, True),
        ({"where": NAME}, {"where": NAME | {"value": "aB"}}, False),
        ({"where": NAME}, {"where": {"and": [NAME, NAME | {"value": "a"}]}}, True),
        ({"where": PRICE | {"value": 1e15}}, {"where": PRICE | {"value": 1e15, "operator": "gte"}}, False),
        ({"where": PRICE, "limit": 3}, {"where": PRICE, "limit": 4}, False),
        ({"where": PRICE, "limit": 99}, {"where": PRICE, "limit": 100}, False),
        ({"where": PRICE}, {"where": PRICE, "aggregate": {"function": "count"}}, False),
        (
            {"where": CHEAP, "sort": [{"field": "price", "order": "asc"}]},
            {"where": CHEAP, "sort": [{"field": "price", "order": "desc"}]},
            True,  # there is one price only
        ),
        ({"sort": [{"field": "price", "order": "asc"}]}, {"limit": 100}, False),
        (
            {"where": PRICE, "aggregate": {"function": "min", "field": "price"}},
            {"where": PRICE, "aggregate": {"function": "avg", "field": "price"}},
            False,
        ),
        (
            {"group_by": ["state", "open"], "aggregate": {"function": "count"}},
            {
                "group_by": ["open", "state"],
                "aggregate": {"function": "count"},
                "sort": [{"field": "price", "order": "asc"}],
            },
            True,
        ),
        (
            # they differ only where both rows that are left fall into one of six groups
            {"limit": 2, "group_by": ["open", "state"], "aggregate": {"function": "min", "field": "count"}},
            {"limit": 2, "group_by": ["open", "state"], "aggregate": {"function": "sum", "field": "count"}},
            False,
        ),
        (
            {"group_by": ["state"], "aggregate": {"function": "count"}},
            {"group_by": ["open"], "aggregate": {"function": "count"}},
            False,
        ),
    ],
)
def test_known_cases(a, b, equal):
    assert equivalent(a, b, SCHEMA).equal is equal
    assert equivalent(b, a, SCHEMA).equal is equal


@pytest.mark.parametrize("function", ["min", "max", "sum", "avg"])
@pytest.mark.parametrize("field", ["price", "count"])
@pytest.mark.parametrize("limit", [8, 15, 60])
@pytest.mark.parametrize("groups", [{}, {"group_by": ["state"]}])
def test_a_limit_before_a_summary_is_seen(function: str, field: str, limit: int, groups: dict):
    """They differ only on tables of more rows than the limit, whose first rows are summed up to something else."""
    where = {"where": {"not": NAME}} if limit == 8 else {}
    whole = where | groups | {"aggregate": {"function": function, "field": field}}
    cut = whole | {"limit": limit}
    cheapest, dearest = (cut | {"sort": [{"field": field, "order": order}]} for order in ("asc", "desc"))
    for a, b in ((whole, cut), (cut, cut | {"limit": limit - 1}), (cut, cheapest), (cheapest, dearest)):
        assert not equivalent(a, b, SCHEMA).equal, (a, b)


def test_the_detail_shows_what_tells_them_apart():
    verdict = equivalent({"where": PRICE}, {"where": PRICE | {"operator": "gte"}}, SCHEMA)
    assert (verdict.by, verdict.detail) == ("execution", 'only the second takes {"price":2}')


def test_a_broken_ast_is_equal_to_nothing_but_its_like():
    verdict = equivalent({"where": PRICE}, {"where": PRICE | {"operator": "like"}}, SCHEMA)
    assert not verdict.equal and "the second breaks the schema: where.operator" in verdict.detail


FOREIGN = {"type": "object", "properties": {"q": {"type": "array"}, "top": {"type": "integer"}, "where": {}}}


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ({"q": ["and", 1], "top": 5}, {"top": 5.0, "q": ["and", 1]}, True),
        ({"q": ["and", 1]}, {"q": [1, "and"]}, False),
        ({"q": []}, {"q": [], "top": 5}, False),
        ({"where": {"and": [1, 2]}}, {"where": {"and": [2, 1]}}, False),
        ({"where": {"and": [1]}}, {"where": 1}, False),
    ],
)
def test_answers_in_somebody_elses_language_are_compared_as_json(a, b, equal):
    assert equivalent(a, b, FOREIGN).equal is equal
