"""What an answer to a support message is worth: valid JSON, schema compliance, the intents, all of it."""

from typing import Any

from astudent.evaluation.results import ResultRow
from astudent.language.serialise import dumps, parse_ast

Json = Any


def outcomes(row: ResultRow) -> dict[str, bool]:
    """Figure -> whether the answer earns it; one that did not parse is wrong in everything.

    `exact`: every key has the known value and there is no other key; `missing` is a set, so its order says nothing.
    """
    answer = parse_ast(row.student_canonical or "")[0] or {}
    right = {key for key in row.ast_json if key in answer and _same(key, row.ast_json, answer)}
    return {
        "valid_json": row.parsed,
        "schema_compliance": row.schema_valid,
        "intent_accuracy": "intent" in right,
        "other_intents_accuracy": "other_intents" in right,
        "exact": right == answer.keys() == row.ast_json.keys(),
    }


def _same(key: str, known: dict[str, Json], answer: dict[str, Json]) -> bool:
    """Equal values, as JSON has them (true is not 1)."""
    if key == "missing" and isinstance(answer[key], list):
        return sorted(map(dumps, known[key])) == sorted(map(dumps, answer[key]))
    return dumps(known[key]) == dumps(answer[key])
