"""The canonical form: a fixed point, blind to order, faithful to meaning and to the schema."""

import pytest
from asts import ASTS, JSON
from hypothesis import given, settings
from hypothesis import strategies as st
from small_language import whole_schema

from astudent.language.canonical import canonical, canonical_text
from astudent.language.serialise import dumps
from astudent.language.validation import validator_for

SCHEMA = whole_schema()
A = {"field": "price", "operator": "gt", "value": 1}
B = {"field": "open", "operator": "eq", "value": True}
C = {"field": "name", "operator": "contains", "value": "b"}


def shuffled(node, rng):
    """The same AST with commutative parts, keys and negations in another dress."""
    if isinstance(node, list):
        return [shuffled(part, rng) for part in node]
    if not isinstance(node, dict):
        return node
    result = {key: shuffled(value, rng) for key, value in node.items()}
    for connective in ("and", "or"):
        if connective in result:
            parts = result[connective] + rng.sample(result[connective], 1)
            rng.shuffle(parts)
            if len(parts) > 2:
                parts = [{connective: parts[:2]}, *parts[2:]]
            result = {connective: parts}
    if result.get("operator") in ("in", "not_in"):
        result["value"] = rng.sample(result["value"] * 2, 2 * len(result["value"]))
    if "operator" in result and rng.random() < 0.5:
        return {"not": {"not": dict(rng.sample(list(result.items()), len(result)))}}
    return dict(rng.sample(list(result.items()), len(result)))


@given(ASTS, st.randoms(use_true_random=False))
def test_order_repetition_and_double_negation_do_not_matter(ast, rng):
    assert canonical_text(shuffled(ast, rng)) == canonical_text(ast)


@given(st.one_of(ASTS, JSON))
def test_idempotent_on_anything(value):
    assert dumps(canonical(canonical(value))) == dumps(canonical(value))


@settings(max_examples=60)
@given(ASTS)
def test_the_canonical_form_of_a_valid_ast_is_valid(ast):
    assert validator_for(SCHEMA).problems(ast) == []
    assert validator_for(SCHEMA).problems(canonical(ast)) == []


@pytest.mark.parametrize(
    ("ast", "form"),
    [
        ({"where": {"and": [A]}}, {"where": A}),
        ({"where": {"and": [A, A]}}, {"where": A}),
        ({"where": {"or": [A, {"or": [B, C]}]}}, {"where": {"or": [C, B, A]}}),
        ({"where": {"not": {"not": {"not": A}}}}, {"where": {"not": A}}),
        ({"where": A | {"value": 1.0}}, {"where": A}),
        ({"where": A | {"value": -0.0}}, {"where": A | {"value": 0}}),
        ({"where": C | {"value": "e\u0301"}}, {"where": C | {"value": "\u00e9"}}),
        ({"limit": 3.0, "where": A}, {"where": A, "limit": 3}),
        ({"group_by": ["b", "a", "b"]}, {"group_by": ["a", "b"]}),
        (
            {"sort": [{"order": "asc", "field": "a"}, {"field": "b", "order": "asc"}, {"field": "a", "order": "desc"}]},
            {"sort": [{"field": "a", "order": "asc"}, {"field": "b", "order": "asc"}]},
        ),
    ],
)
def test_examples(ast, form):
    assert dumps(canonical(ast)) == dumps(form)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"where": {"and": [A, B]}}, {"where": {"or": [A, B]}}),
        ({"where": A}, {"where": {"not": A}}),
        ({"where": B}, {"where": B | {"value": 1}}),
        ({"sort": [{"field": "a", "order": "asc"}]}, {"sort": [{"field": "a", "order": "desc"}]}),
        (
            {"where": A | {"operator": "between", "value": [1, 2]}},
            {"where": A | {"operator": "between", "value": [2, 1]}},
        ),
    ],
)
def test_different_meanings_keep_different_forms(a, b):
    assert canonical_text(a) != canonical_text(b)


def test_the_argument_is_left_alone():
    ast = {"where": {"or": [B, {"or": [A, A]}]}}
    before = dumps(ast)
    canonical(ast)
    assert dumps(ast) == before
