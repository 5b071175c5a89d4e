"""Tables that tell near-misses apart: values around the edges of all constants in two ASTs.

Every comparison splits its field's values into those it takes and those it does not. Values that all comparisons
of both ASTs treat alike form a class; one table holds a row for every combination of classes, so two conditions
agree on that table exactly when they agree on every table (unless there are more combinations than MAX_ROWS).
"""

import datetime
import itertools
import math
import random
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from astudent.language.execution import comparisons, tail_fields
from astudent.language.vocabulary import FieldInfo, Vocabulary

MAX_ROWS = 20_000
MAX_MIDDLES = 6  # texts to be contained in one text that are combined freely
CLASS_SIZE = 4  # values per class of a field that is sorted, grouped or summed up
TABLES, MAX_TABLE = 48, 8
ANY_PAIRS, PAIRS = 12, 1  # pairs of rows (of any, per field) with which a table changes where a limit cuts
LONGEST_TABLE = 2_000  # rows; two limits beyond it are not told apart
USUAL_NUMBERS = (-2, 0, 1, 3, 8, 20)
USUAL_TEXTS = ("B", "a", "b", "é")
USUAL_DAYS = ("2020-01-31", "2020-02-01", "2021-06-15", "2024-12-31")

Row = dict[str, Any]
Classes = dict[str, list[list[Any]]]  # per field: classes of values that no comparison tells apart
Siblings = Mapping[str, Mapping[Any, list[Any]]]  # per field and value: the values of its class


def value_classes(asts: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> Classes:
    """The classes of each field that the (canonical) ASTs name; several values per class where order or size counts."""
    tests = [comparison for ast in asts for comparison in comparisons(ast.get("where"))]
    tails = {name for ast in asts for name in tail_fields(ast)}
    classes: Classes = {}
    for name in sorted({test["field"] for test in tests} | tails):
        own = [test for test in tests if test["field"] == name]
        grouped: dict[tuple[bool, ...], list[Any]] = {}
        for value in dict.fromkeys(_values(vocabulary.fields[name], own)):
            members = grouped.setdefault(tuple(_holds(test["operator"], value, test["value"]) for test in own), [])
            if len(members) < (CLASS_SIZE if name in tails else 1):
                members.append(value)
        classes[name] = list(grouped.values())
    return classes


def combinations(classes: Classes, rng: random.Random) -> tuple[dict[str, list[Any]], bool]:
    """Columns with a row for every combination of classes, and True; or MAX_ROWS random combinations, and False."""
    count = 1
    for options in classes.values():
        count *= len(options)
    firsts = [[members[0] for members in options] for options in classes.values()]
    if count <= MAX_ROWS:
        rows: Iterable[tuple[Any, ...]] = itertools.product(*firsts)
    else:
        rows = [tuple(map(rng.choice, firsts)) for _ in range(MAX_ROWS)]
    columns = list(zip(*rows, strict=True)) or [() for _ in classes]
    return {name: list(column) for name, column in zip(classes, columns, strict=True)}, count <= MAX_ROWS


def tables_of(
    rows: Sequence[Mapping[str, Any]], classes: Classes, limits: Sequence[int], rng: random.Random
) -> Iterator[list[list[Row]]]:
    """Tables drawn from `rows`, each value replaced by any of its class: first an empty one, many small ones and one longer
    than every limit; then, for each limit, long ones whose rows change where it cuts."""
    if not rows:
        yield [[]]
        return
    longest = min(max(limits, default=0) + 2, LONGEST_TABLE)
    sizes = [0, longest, *(rng.randint(1, MAX_TABLE) for _ in range(TABLES))]
    siblings = {name: {value: members for members in options for value in members} for name, options in classes.items()}
    yield [_table(rows, siblings, size, rng) for size in sizes]
    cuts = [limit for limit in dict.fromkeys(limits) if limit < longest]
    pairs = list(_pairs(rows, siblings, rng))[: MAX_ROWS // longest]
    if not cuts or not pairs:
        return
    # as many rows behind the cut as before it: an order may bring them all to the front
    yield [[first] * cut + [second] * (cut + 2) for cut in cuts for first, second in pairs]


def _pairs(rows: Sequence[Mapping[str, Any]], siblings: Siblings, rng: random.Random) -> Iterator[tuple[Row, Row]]:
    """Rows that differ in any fields, then such that differ in one, for each field; each pair both ways round."""
    for name in [None] * ANY_PAIRS + [*rows[0]] * PAIRS:
        first = _drawn(rng.choice(rows), siblings, rng)
        if name is None:
            second = _drawn(rng.choice(rows), siblings, rng)
        else:
            second = {**first, name: rng.choice(siblings[name][first[name]])}
        if first != second:
            yield from ((first, second), (second, first))


def _drawn(row: Mapping[str, Any], siblings: Siblings, rng: random.Random) -> Row:
    return {name: rng.choice(siblings[name][value]) for name, value in row.items()}


def _table(rows: Sequence[Mapping[str, Any]], siblings: Siblings, size: int, rng: random.Random) -> list[Row]:
    """Rows of which many repeat the one before in all but one field: ties to be broken, groups to be filled."""
    table: list[Row] = []
    for _ in range(size):
        if table and rng.random() < 0.6:
            changed = set(rng.sample(list(table[-1]), min(1, len(table[-1]))))
            row: Mapping[str, Any] = table[-1]
        else:
            row = rng.choice(rows)
            changed = set(row)
        table.append({n: rng.choice(siblings[n][value]) if n in changed else value for n, value in row.items()})
    return table


def _holds(operator: str, value: Any, constant: Any) -> bool:
    """Whether a comparison takes a value; used to sort values into classes, never as the verdict."""
    match operator:
        case "eq" | "neq":
            return (value == constant) == (operator == "eq")
        case "in" | "not_in":
            return (value in constant) == (operator == "in")
        case "gt" | "lte":
            return (value > constant) == (operator == "gt")
        case "lt" | "gte":
            return (value < constant) == (operator == "lt")
        case "between":
            return constant[0] <= value <= constant[1]
        case "contains":
            return constant in value
        case "starts_with":
            return value.startswith(constant)
        case "ends_with":
            return value.endswith(constant)
    return False


def _values(field: FieldInfo, tests: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Values of a field on, beside and between the constants of its comparisons, and some usual ones."""
    if field.type == "boolean":
        yield from (True, False)
    elif field.type == "enum":
        yield from (_composed(value) for value, _ in field.values)
    elif field.type == "string":
        yield from _texts(tests)
    else:
        constants = sorted({constant for test in tests for constant in _constants(test)})
        if field.type == "date":
            yield from _days(constants)
        else:
            yield from filter(math.isfinite, _numbers(constants, field.type == "integer"))


def _constants(test: Mapping[str, Any]) -> list[Any]:
    return test["value"] if isinstance(test["value"], list) else [test["value"]]


def _numbers(constants: Sequence[float], whole: bool) -> Iterator[float]:
    for constant in constants:
        yield from (constant, constant - 1, constant + 1, constant - 5, constant + 5, constant - 9, constant + 9)
    if not whole:
        for low, high in itertools.pairwise(constants):
            yield from (low + (high - low) * share for share in (0.5, 0.25, 0.75))
        yield from (constant + step for constant in constants for step in (0.5, -0.5))
        # where steps are lost in rounding, the neighbours that a computer knows
        yield from (
            math.nextafter(constant, math.copysign(math.inf, side)) for constant in constants for side in (-1, 1)
        )
    yield from USUAL_NUMBERS


def _days(constants: Sequence[str]) -> Iterator[str]:
    for constant in constants:
        day = datetime.date.fromisoformat(constant)
        for step in (0, -1, 1, -2, 2, -40, 40):
            ordinal = day.toordinal() + step
            if 1 <= ordinal <= datetime.date.max.toordinal():
                yield datetime.date.fromordinal(ordinal).isoformat()
    yield from USUAL_DAYS


def _texts(tests: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The constants themselves, and texts with every choice of a beginning, an end and things in between.

    A character that no constant holds keeps the parts apart, so that nothing is contained by accident.
    """
    constants = sorted({constant for test in tests for constant in _constants(test)})
    gap = next(chr(code) for code in itertools.count(ord("x")) if not any(chr(code) in text for text in constants))
    yield from constants
    starts = ["", *(test["value"] for test in tests if test["operator"] == "starts_with")]
    ends = ["", *(test["value"] for test in tests if test["operator"] == "ends_with")]
    middles = [test["value"] for test in tests if test["operator"] == "contains"][:MAX_MIDDLES]
    for start, end in itertools.product(starts, ends):
        for count in range(len(middles) + 1):
            for chosen in itertools.combinations(middles, count):
                yield gap.join((start, *chosen, end))
                yield gap.join((start, *chosen, "", end))
    yield from (gap + text + gap for text in constants)
    yield from (text.swapcase() for text in constants)
    yield from USUAL_TEXTS


def _composed(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value
