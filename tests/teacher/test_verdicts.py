"""Accept, reject or error."""

from typing import Any

from astudent.teacher.verdicts import verdict_by_equivalence

SCHEMA: dict[str, Any] = {
    "title": "orders",
    "type": "object",
    "properties": {"where": {"$ref": "#/$defs/condition"}},
    "additionalProperties": False,
    "$defs": {
        "condition": {"anyOf": [{"$ref": "#/$defs/not_condition"}, {"$ref": "#/$defs/number_comparison"}]},
        "not_condition": {
            "type": "object",
            "properties": {"not": {"$ref": "#/$defs/condition"}},
            "required": ["not"],
            "additionalProperties": False,
        },
        "number_comparison": {
            "type": "object",
            "properties": {
                "field": {"const": "price"},
                "operator": {"enum": ["gt", "lte"]},
                "value": {"type": "number"},
            },
            "required": ["field", "operator", "value"],
            "additionalProperties": False,
        },
    },
}


def price(operator: str, value: float) -> dict[str, Any]:
    return {"field": "price", "operator": operator, "value": value}


def test_the_same_meaning_in_other_words_is_accepted() -> None:
    verdict = verdict_by_equivalence(SCHEMA, {"where": price("gt", 5)}, {"where": {"not": price("lte", 5.0)}})
    assert verdict.verdict == "accept" and "same meaning" in verdict.reason


def test_another_meaning_is_rejected() -> None:
    verdict = verdict_by_equivalence(SCHEMA, {"where": price("gt", 5)}, {"where": price("gt", 6)})
    assert verdict.verdict == "reject" and "another meaning" in verdict.reason


def test_what_breaks_the_schema_is_rejected_with_the_problem() -> None:
    verdict = verdict_by_equivalence(SCHEMA, {"where": price("gt", 5)}, {"where": price("eq", 5)})
    assert verdict.verdict == "reject" and "breaks the schema" in verdict.reason


def test_no_answer_is_an_error() -> None:
    assert verdict_by_equivalence(SCHEMA, {"where": price("gt", 5)}, None).verdict == "error"
