"""What queries give on tables, against the plain interpreter; values and names never reach SQL text."""

import random

import pytest
from brute_force import answer
from small_language import CONSTANTS, DOMAINS, condition, tail, whole_schema

from astudent.language.equivalence import equivalent
from astudent.language.execution import NoMeaningError, matching, run
from astudent.language.near_misses import combinations, value_classes
from astudent.language.vocabulary import read_vocabulary

SCHEMA = whole_schema()
VOCABULARY = read_vocabulary(SCHEMA)
NASTY = ["'; drop table t; --", 'a"b', "a\\b", "%", "_", "\u0000x", "é", "😀", "$1", "c0", "{x}"]


def plain(result):
    if result.kind == "groups":
        return {frozenset(key): value if value is None else round(value, 9) for key, value in result.content.items()}
    return round(result.content, 9) if result.kind == "value" and result.content is not None else result.content


def test_results_are_those_of_the_interpreter():
    rng = random.Random(3)
    for _ in range(60):
        fields = rng.sample(list(DOMAINS), 3)
        ast = {"where": condition(rng, fields)} | tail(rng, fields)
        tables = [
            [{name: rng.choice(values) for name, values in DOMAINS.items()} for _ in range(rng.randint(0, 9))]
            for _ in range(6)
        ]
        # groups carry values as JSON or as columns hold them; text and numbers are the same either way
        fit = [field for field in ast.get("group_by", []) if field == "state"]
        results = run(ast, tables, VOCABULARY)
        for table, result in zip(tables, results, strict=True):
            expected = answer(ast, table)
            if fit:
                expected = {
                    frozenset((f, f'"{v}"' if f == "state" else v) for f, v in key): n
                    for key, n in expected.items()  # pyright: ignore
                }
            assert plain(result) == expected, (ast, table)


@pytest.mark.parametrize("text", NASTY)
def test_texts_are_values_whatever_they_hold(text):
    table = [{"name": text}, {"name": f"x{text}y"}, {"name": "other"}]
    for operator, rows in (
        ("eq", [0]),
        ("contains", [0, 1]),
        ("starts_with", [0]),
        ("ends_with", [0]),
        ("neq", [1, 2]),
    ):
        ast = {"where": {"field": "name", "operator": operator, "value": text}}
        assert run(ast, [table], VOCABULARY)[0].content == rows
    for a, b in (("eq", "contains"), ("starts_with", "ends_with")):
        conditions = [{"where": {"field": "name", "operator": operator, "value": text}} for operator in (a, b)]
        assert not equivalent(conditions[0], conditions[1], SCHEMA).equal


@pytest.mark.parametrize(
    "where",
    [
        {"field": "absent", "operator": "eq", "value": 1},
        {"field": "price", "operator": "eq", "value": "1"},
        {"field": "price", "operator": "eq", "value": True},
        {"field": "open", "operator": "eq", "value": 1},
        {"field": "day", "operator": "eq", "value": "yesterday"},
        {"field": "price", "operator": "like", "value": 1},
        {"field": "price", "operator": "between", "value": [1]},
        {"and": 3},
        "price > 3",
    ],
)
def test_what_means_nothing_says_so(where):
    with pytest.raises(NoMeaningError):
        run({"where": where}, [[]], VOCABULARY)
    verdict = equivalent({"where": where}, {"limit": 3}, SCHEMA)
    assert not verdict.equal and "breaks the schema" in verdict.detail


def test_one_row_for_each_combination_of_edges():
    conditions = [
        {"field": "price", "operator": "gt", "value": 2},
        {"field": "price", "operator": "gte", "value": 2},
        {"field": "name", "operator": "contains", "value": "ab"},
    ]
    classes = value_classes([{"where": {"and": conditions}}], VOCABULARY)
    columns, complete = combinations(classes, random.Random(0))
    truths = matching(conditions, columns, VOCABULARY)
    assert complete
    assert set(truths) == {(p, q, n) for p, q in ((True, True), (False, True), (False, False)) for n in (True, False)}


def test_too_many_combinations_are_said():
    names = list(CONSTANTS)
    big = {"and": [{"field": "name", "operator": "contains", "value": chr(97 + i) * 2} for i in range(6)]}
    more = [{"field": name, "operator": "neq", "value": value} for name in names[:2] for value in range(1, 25)]
    ast = {"where": {"and": [big, *more]}}
    other = {"where": {"and": [{"not": {"not": big}}, {"not": {"not": {"and": more}}}]}}
    assert equivalent(ast, other, SCHEMA).by == "canonical"
    swapped = {"where": {"and": [*more, {"not": {"or": [{"not": part} for part in big["and"]]}}]}}
    verdict = equivalent(ast, swapped, SCHEMA)
    assert (
        verdict.equal and verdict.by == "execution" and verdict.detail == "more combinations of values than were tried"
    )
