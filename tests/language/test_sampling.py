"""Sampled ASTs: valid, varied as promised, without contradictions."""

import json
import random
from collections import Counter

import pytest
from small_language import CATALOG, TEMPLATE, spec, whole_schema

from astudent.language.equivalence import equivalent
from astudent.language.sampling import sample_ast
from astudent.language.schema import build_schema
from astudent.language.serialise import serialise
from astudent.language.validation import validator_for
from astudent.language.vocabulary import read_vocabulary


def samples(schemas, each, difficulty="mixed"):
    for seed in range(schemas):
        schema, _ = build_schema(spec(), CATALOG, TEMPLATE, random.Random(seed), 4, 7)
        rng = random.Random(seed)
        for _ in range(each):
            yield schema, sample_ast(read_vocabulary(schema), rng, difficulty)  # pyright: ignore[reportArgumentType]


def conditions(node):
    if isinstance(node, list):
        return [found for part in node for found in conditions(part)]
    if not isinstance(node, dict):
        return []
    return [node] if "operator" in node else conditions(list(node.values()))


@pytest.mark.parametrize("difficulty", ["easy", "medium", "hard", "mixed"])
def test_every_ast_is_valid(difficulty):
    for schema, ast in samples(8, 40, difficulty):
        assert validator_for(schema).problems(ast) == [], ast
        assert ast


def test_shares_of_the_mixed_difficulty():
    counts, total = Counter(), 0
    for _, ast in samples(40, 25):
        text = json.dumps(ast.get("where", {}))
        total += 1
        counts["several"] += len(conditions(ast)) >= 2
        counts["nested"] += '"not"' in text or text.count('"and"') + text.count('"or"') >= 2
        counts["tail"] += any(key in ast for key in ("sort", "limit", "group_by", "aggregate"))
    assert counts["several"] >= 0.45 * total
    assert counts["nested"] >= 0.2 * total
    assert counts["tail"] >= 0.25 * total


def test_same_field_and_operator_once_but_for_a_choice_of_values():
    for _, ast in samples(20, 25):
        seen = Counter((c["field"], c["operator"]) for c in conditions(ast))
        assert all(count == 1 or operator == "eq" for (_, operator), count in seen.items()), ast
        assert max(seen.values(), default=1) <= 2


def denied(node):
    """The comparisons that stand right below a `not`."""
    if isinstance(node, list):
        return [found for part in node for found in denied(part)]
    if not isinstance(node, dict):
        return []
    inner = node.get("not", {})
    return ([inner] if "operator" in inner else []) + denied(list(node.values()))


def test_not_stands_only_where_no_comparison_says_the_contrary():
    found = [(read_vocabulary(schema).fields, part) for schema, ast in samples(60, 25) for part in denied(ast)]
    assert len(found) > 50
    for fields, part in found:
        assert not isinstance(part["value"], bool), part
        opposite = {"eq": "neq", "in": "not_in"}.get(part["operator"])
        assert opposite not in fields[part["field"]].operators, part


def test_no_ast_takes_everything_or_nothing():
    schema = whole_schema()
    rng = random.Random(4)
    everything = {"limit": 1}
    one = {"field": "price", "operator": "gt", "value": 1}
    nothing = {"where": {"and": [one, {"not": one}]}}
    for _ in range(30):
        ast = sample_ast(read_vocabulary(schema), rng)
        if "where" in ast:
            where = {"where": ast["where"]}
            assert not equivalent(where | {"limit": 1}, everything, schema).equal, ast
            assert not equivalent(where, nothing, schema).equal, ast


def test_values_are_realistic():
    texts, numbers, days = [], [], []
    for schema, ast in samples(30, 30):
        fields = read_vocabulary(schema).fields
        for c in conditions(ast):
            values = c["value"] if isinstance(c["value"], list) else [c["value"]]
            kind = fields[c["field"]].type
            target = {"string": texts, "number": numbers, "integer": numbers, "date": days}.get(kind, [])
            target.extend(values)
    assert all("2019-01-01" <= day <= "2028-12-31" for day in days)
    assert all(0 < len(text) <= 60 and text == text.strip() for text in texts)
    assert len(set(texts)) > 0.6 * len(texts)
    assert any(not text.isascii() for text in texts) and any("'" in text for text in texts)
    assert 0 < sum(number < 0 for number in numbers) < 0.1 * len(numbers)
    assert any(isinstance(number, float) for number in numbers)
    assert all(len(serialise(number, {})) <= 8 for number in numbers)


def test_a_seed_fixes_the_ast():
    vocabulary = read_vocabulary(whole_schema())
    assert sample_ast(vocabulary, random.Random(9)) == sample_ast(vocabulary, random.Random(9))
