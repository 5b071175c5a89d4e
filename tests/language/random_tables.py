"""Small random tables for the brute-force interpreter: values on and beside the constants of two ASTs, by chance alone."""

import datetime
from random import Random
from typing import Any

from ast_parts import conditions_in
from brute_force import answer, fields_of, takes

from astudent.language.vocabulary import FieldInfo, Vocabulary

Ast = dict[str, Any]
ROWS = 600  # single rows that are tried
TABLES = 120
LARGEST = 7  # rows of a table, but for one that is longer than every limit


def witness(a: Ast, b: Ast, vocabulary: Vocabulary, rng: Random) -> list[dict[str, Any]] | None:
    """A table on which the two give different answers; None where none of those that were tried does."""
    values = {name: _values(vocabulary.fields[name], (a, b)) for name in sorted(fields_of(a) | fields_of(b))}
    rows = [{name: rng.choice(values[name]) for name in values} for _ in range(ROWS)]
    for row in rows:
        if takes(a.get("where"), row) != takes(b.get("where"), row) and answer(a, [row]) != answer(b, [row]):
            return [row]
    taken = [row for row in rows if takes(a.get("where"), row)] or rows
    longest = max(a.get("limit", 0), b.get("limit", 0)) + 2
    for number in range(TABLES):
        table = _table(taken, values, rng.randint(1, LARGEST) if number else int(longest), rng)
        if answer(a, table) != answer(b, table):
            return table
    return None


def _table(rows: list[dict[str, Any]], values: dict[str, list[Any]], size: int, rng: Random) -> list[dict[str, Any]]:
    """Rows of which half are the one before with one value changed: ties and groups."""
    table = [rng.choice(rows)]
    while len(table) < size:
        row = dict(rng.choice(rows)) if rng.random() < 0.5 else dict(table[-1])
        if row and rng.random() < 0.7:
            name = rng.choice(list(row))
            row[name] = rng.choice(values[name])
        table.append(row)
    return table


def _values(field: FieldInfo, asts: tuple[Ast, Ast]) -> list[Any]:
    found = [node["value"] for ast in asts for node in conditions_in(ast) if node.get("field") == field.name]
    constants = [item for value in found for item in (value if isinstance(value, list) else [value])]
    match field.type:
        case "boolean":
            return [True, False]
        case "enum":
            return [value for value, _ in field.values]
        case "string":
            return _texts(constants)
        case "date":
            days = [datetime.date.fromisoformat(constant) for constant in constants] or [datetime.date(2024, 2, 28)]
            steps = (-400, -31, -1, 0, 1, 2, 31)
            return [(day + datetime.timedelta(days=step)).isoformat() for day in days for step in steps]
        case kind:
            steps = (-10, -1, 0, 1, 2, 100) if kind == "integer" else (-10, -1, -0.5, -0.01, 0, 0.01, 0.3, 1, 100)
            return [round(constant + step, 4) for constant in constants or [5] for step in steps]


def _texts(constants: list[str]) -> list[str]:
    """The constants with something before, after and around them, cut, in the other case, and one after the other."""
    near = [each for text in constants for each in (text, f"q{text}", f"{text}q", f"q{text}q", text[:-1], text[1:])]
    near += [each for text in constants for each in (text.swapcase(), text.title(), f"{text}s")]
    return near + [first + joint + second for first in constants for second in constants for joint in ("", " ")] + ["q"]
