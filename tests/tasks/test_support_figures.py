"""What answers to support messages are worth, judged by hand."""

from typing import Any

import pytest
from answered import answered
from hypothesis import given
from hypothesis import strategies as st

from astudent.tasks.support import SCHEMA
from astudent.tasks.support.task import TASK

KNOWN: dict[str, Any] = {
    "intent": "return",
    "other_intents": ["invoice", "billing"],
    "order_id": None,
    "product": None,
    "amount": None,
    "currency": None,
    "urgency": "normal",
    "human": True,
    "missing": ["order_id", "product"],
}
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["return", "normal", "order_id"])
VALUES = SCALARS | st.lists(SCALARS, max_size=3)


def outcomes(answer: Any) -> dict[str, bool]:
    return TASK.outcomes(answered(KNOWN, answer, SCHEMA))


def test_a_right_answer_is_right_in_everything():
    assert set(outcomes(KNOWN).values()) == {True}
    assert set(outcomes(KNOWN | {"missing": ["product", "order_id"]}).values()) == {True}


def test_an_answer_that_did_not_parse_is_wrong_in_everything():
    assert set(outcomes(None).values()) == {False}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"intent": "refund"}, {"intent_accuracy"}),
        ({"other_intents": ["billing", "invoice"]}, {"other_intents_accuracy"}),
        ({"human": 1}, {"schema_compliance"}),
        ({"order_id": "AB-12345"}, set[str]()),
        ({"missing": ["order_id", "product", "order_id"]}, {"schema_compliance"}),
        ({"missing": None}, {"schema_compliance"}),
        ({"note": "x"}, {"schema_compliance"}),
    ],
)
def test_one_wrong_value_costs_its_own_figures(changes: dict[str, Any], wrong: set[str]):
    assert {name for name, earned in outcomes(KNOWN | changes).items() if not earned} == wrong | {"exact"}


def test_keys_too_few():
    earned = {name for name, earned in outcomes({"intent": "return"}).items() if earned}
    assert earned == {"valid_json", "intent_accuracy"}


def test_rows_stand_under_their_trap_and_wording():
    trapped = answered(KNOWN, KNOWN, SCHEMA, trap="typos", query_id="support-test_seen-00001-new")
    assert list(TASK.groups(trapped)) == [("trap", "typos"), ("wording", "held out")]
    assert list(TASK.groups(answered(KNOWN, KNOWN, SCHEMA))) == [("trap", "plain"), ("wording", "trained on")]


@given(st.none() | st.dictionaries(st.sampled_from([*KNOWN, "note"]), VALUES))
def test_exact_earns_everything(answer: dict[str, Any] | None):
    earned = outcomes(answer)
    assert not earned["exact"] or all(earned.values())
    assert earned["valid_json"] == (answer is not None)
