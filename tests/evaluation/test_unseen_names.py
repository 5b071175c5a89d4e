"""Names that a student can have met are found wherever they stand, as whole words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from astudent.evaluation.unseen_names import Verdict, found_in, names_met, words
from astudent.records import DatasetRow

Make = Callable[..., DatasetRow]


@pytest.mark.parametrize(
    ("text", "found"),
    [("Show the purse seines", False), ("a Purse_Seine.", True), ("seine, purse", False), ("x=purse seine|y", True)],
)
def test_a_name_is_met_as_whole_words_in_any_case(text: str, found: bool) -> None:
    assert (found_in([text], {words("purse_seine")}) == {("purse", "seine")}) is found


@pytest.fixture
def verdict(row: Make, schema: dict[str, Any]) -> Callable[..., Verdict]:
    """On the shop's schema, unseen, beside a schema trained on that shares `city` alone."""
    other = json.dumps(schema)
    for name in ("status", "price", "paid", "sent_on", "open", "on_hold", "statut", "prix", "ouvert"):
        other = other.replace(f'"{name}"', f'"x{name}"')
    trained = {"schema_id": "other", "schema_json": json.loads(other), "split": "train", "query": "Everything"}

    def verdict(elsewhere: list[str], **of_trained: Any) -> Verdict:
        rows = [row(1, split="test_unseen", names="new"), row(2, **{**trained, **of_trained})]
        return names_met(rows, elsewhere)

    return verdict


def test_names_are_looked_for_in_schemas_requests_and_elsewhere(verdict: Callable[..., Verdict]) -> None:
    found = verdict(["nothing is ON hold here"], query="those with a price?")
    assert found.unmet == frozenset()
    assert found.met == {
        "shop-00": {"city": "a schema", "on_hold": "pre-training", "price": "a request"},
    }


def test_a_schema_of_which_nothing_is_met_is_left(row: Make) -> None:
    assert names_met([row(1, split="test_unseen", names="new")], []).unmet == {"shop-00"}
    assert names_met([row(1, split="test_unseen", names="seen")], []) == Verdict(frozenset(), {})
