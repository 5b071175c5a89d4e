"""Broken ASTs are broken in many ways, always, and the validator says how."""

import json
import random
from collections import Counter

import jsonschema
from asts import ASTS
from hypothesis import given, settings
from hypothesis import strategies as st
from small_language import CATALOG, TEMPLATE, spec, whole_schema

from astudent.language.mutations import KINDS, mutate
from astudent.language.sampling import sample_ast
from astudent.language.schema import build_schema
from astudent.language.vocabulary import read_vocabulary

SCHEMA = whole_schema()
JUDGE = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


@settings(max_examples=60)
@given(ASTS, st.integers(0, 2**32))
def test_a_mutation_never_validates_and_leaves_the_ast_alone(ast, seed):
    before = json.dumps(ast)
    mutation = mutate(ast, SCHEMA, random.Random(seed))
    assert not JUDGE.is_valid(mutation.ast)  # jsonschema itself, not our validator
    assert json.dumps(ast) == before
    assert mutation.kind in KINDS
    assert mutation.message and "\n" not in mutation.message and len(mutation.message) < 400


def test_all_kinds_occur_and_none_rules():
    kinds, total = Counter(), 0
    for seed in range(10):
        schema, _ = build_schema(spec(), CATALOG, TEMPLATE, random.Random(seed), 4, 7)
        rng = random.Random(seed)
        for _ in range(80):
            kinds[mutate(sample_ast(read_vocabulary(schema), rng), schema, rng).kind] += 1
            total += 1
    assert set(kinds) == set(KINDS)
    assert max(kinds.values()) < 0.2 * total


def test_an_ast_without_conditions_can_be_broken():
    for seed in range(20):
        assert not JUDGE.is_valid(mutate({"limit": 3}, SCHEMA, random.Random(seed)).ast)
        assert not JUDGE.is_valid(mutate({}, SCHEMA, random.Random(seed)).ast)


def test_a_seed_fixes_the_mutation():
    ast = {"where": {"field": "state", "operator": "eq", "value": "new"}}
    assert mutate(ast, SCHEMA, random.Random(5)) == mutate(ast, SCHEMA, random.Random(5))
