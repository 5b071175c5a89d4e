"""Whether two ASTs mean the same: by canonical form, else by running both on tables that tell near-misses apart.

Two conditions that differ on one row differ as queries, since a table may hold that row alone. So the conditions
are compared on all combinations of edge values first; only where they agree does the rest decide.
Answers under a schema of any other kind have no meaning that is known here: they are compared as JSON.
"""

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from astudent.language.canonical import canonical
from astudent.language.execution import NoMeaningError, Result, matching, run
from astudent.language.near_misses import Classes, combinations, tables_of, value_classes
from astudent.language.serialise import dumps, plain_numbers
from astudent.language.validation import validator_for
from astudent.language.vocabulary import Vocabulary, is_query_language, read_vocabulary

TOLERANCE = 1e-9  # relative; sums of the same numbers in another order
Ast = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """Equal or not, how that was found, and what tells the two apart (or a reservation)."""

    equal: bool
    by: Literal["canonical", "execution"]
    detail: str = ""


def equivalent(a: Ast, b: Ast, schema: dict[str, Any]) -> Verdict:
    """Compares the meanings of two ASTs under a schema. One that breaks the schema means nothing: never equal.

    Where the schema is no query language's, ASTs are equal as JSON, whatever the order of keys and the spelling of numbers.
    """
    if not is_query_language(schema):
        return Verdict(
            as_json(a) == as_json(b), "canonical", "compared as JSON: the schema describes no query language"
        )
    vocabulary, first, second = read_vocabulary(schema), canonical(a), canonical(b)
    if dumps(first) == dumps(second):
        return Verdict(True, "canonical")
    for name, ast in (("first", a), ("second", b)):
        if problems := validator_for(schema).problems(ast):
            return Verdict(False, "execution", f"the {name} breaks the schema: {problems[0]}")
    try:
        return _by_execution(_plain_tail(first), _plain_tail(second), vocabulary)
    except NoMeaningError as error:
        return Verdict(False, "execution", str(error))


def as_json(value: Any) -> str:
    """One text for all that JSON takes for the same."""
    return json.dumps(plain_numbers(value), ensure_ascii=False, sort_keys=True)


def _plain_tail(ast: dict[str, Any]) -> dict[str, Any]:
    """Without an order that nothing sees: all rows go into the groups, in whatever order."""
    if ("group_by" in ast or "aggregate" in ast) and "limit" not in ast:
        return {key: value for key, value in ast.items() if key != "sort"}
    return ast


def _by_execution(a: dict[str, Any], b: dict[str, Any], vocabulary: Vocabulary) -> Verdict:
    if _kind(a) != _kind(b):
        return Verdict(False, "execution", f"the first gives {_kind(a)}, the second {_kind(b)}")
    rng = random.Random(dumps([a, b]))
    classes = value_classes((a, b), vocabulary)
    columns, complete = combinations(classes, rng)
    conditions = [ast.get("where") for ast in (a, b)]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)] or [{}]
    truths = matching(conditions, columns, vocabulary) if columns else [(True, True)]
    for row, (in_first, in_second) in zip(rows, truths, strict=True):
        if in_first != in_second:
            selects = "the first" if in_first else "the second"
            return Verdict(False, "execution", f"only {selects} takes {dumps(row)}")
    reservation = "" if complete else "more combinations of values than were tried"
    if {**a, "where": None} == {**b, "where": None}:
        return Verdict(True, "execution", reservation)
    selected = [row for row, (taken, _) in zip(rows, truths, strict=True) if taken]
    return _by_tails(a, b, selected, classes, vocabulary, rng, reservation)


def _by_tails(
    a: dict[str, Any],
    b: dict[str, Any],
    selected: list[dict[str, Any]],
    classes: Classes,
    vocabulary: Vocabulary,
    rng: random.Random,
    reservation: str,
) -> Verdict:
    """Same conditions; do sorting, limit, grouping and aggregate give the same on many tables of selected rows?"""
    limits = [ast["limit"] for ast in (a, b) if "limit" in ast]
    for tables in tables_of(selected, classes, limits, rng):
        for table, first, second in zip(tables, run(a, tables, vocabulary), run(b, tables, vocabulary), strict=True):
            if not _same(first, second):
                return Verdict(False, "execution", f"different results on {dumps(table)[:300]}")
    return Verdict(True, "execution", reservation)


def _kind(ast: Ast) -> str:
    return "groups" if "group_by" in ast else "a value" if "aggregate" in ast else "rows"


def _same(first: Result, second: Result) -> bool:
    if first.kind != second.kind:
        return False
    if first.kind == "groups":
        keys = first.content.keys()
        return keys == second.content.keys() and all(_close(first.content[k], second.content[k]) for k in keys)
    return first.content == second.content if first.kind == "rows" else _close(first.content, second.content)


def _close(first: Any, second: Any) -> bool:
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
