"""Figures of answers, counted by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.tasks.support import SCHEMA
from astudent.tasks.support.figures import Sample, by_trap, figures

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


def rates(**changes: Any) -> dict[str, float | None]:
    return figures([Sample(KNOWN, KNOWN | changes, SCHEMA)]).rates()


def test_a_right_answer_is_right_in_everything():
    assert set(rates().values()) == {1.0}
    assert set(rates(missing=["product", "order_id"]).values()) == {1.0}


def test_an_answer_that_did_not_parse_is_wrong_in_everything():
    assert set(figures([Sample(KNOWN, None, SCHEMA)]).rates().values()) == {0.0}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"intent": "refund"}, {"intent_rate"}),
        ({"other_intents": ["billing", "invoice"]}, {"other_intents_rate"}),
        ({"human": 1}, {"schema_compliant_rate"}),
        ({"order_id": "AB-12345"}, set[str]()),
        ({"missing": ["order_id", "product", "order_id"]}, {"schema_compliant_rate"}),
        ({"missing": None}, {"schema_compliant_rate"}),
    ],
)
def test_one_wrong_value_costs_its_own_figures(changes: dict[str, Any], wrong: set[str]):
    found = rates(**changes)
    assert {name for name, rate in found.items() if rate == 0.0} == wrong | {"exact_rate"}
    assert found["field_accuracy"] == 8 / 9


def test_keys_too_many_or_too_few():
    more = figures([Sample(KNOWN, KNOWN | {"note": "x"}, SCHEMA)])
    assert (more.exact, more.schema_compliant, more.fields_right) == (0, 0, 9)
    fewer = figures([Sample(KNOWN, {"intent": "return"}, SCHEMA)])
    assert (fewer.intent, fewer.other_intents, fewer.fields_right, fewer.fields) == (1, 0, 1, 9)


def test_figures_stand_by_trap():
    samples = [
        Sample(KNOWN, KNOWN, SCHEMA),
        Sample(KNOWN, None, SCHEMA, "typos"),
        Sample(KNOWN, KNOWN, SCHEMA, "negation"),
    ]
    found = by_trap(samples)
    assert list(found) == ["all", "plain", "negation", "typos"]
    assert {name: (one.samples, one.exact) for name, one in found.items()} == {
        "all": (3, 2),
        "plain": (1, 1),
        "negation": (1, 1),
        "typos": (1, 0),
    }


def test_nothing_counted_is_no_rate():
    assert set(by_trap([])["all"].rates().values()) == {None}


@given(st.lists(st.none() | st.dictionaries(st.sampled_from([*KNOWN, "note"]), VALUES), max_size=5))
def test_counts_stay_within_the_samples(answers: list[dict[str, Any] | None]):
    found = figures(Sample(KNOWN, answer, SCHEMA) for answer in answers)
    assert found.exact <= found.intent <= found.valid_json <= found.samples == len(answers)
    assert found.exact <= found.other_intents and found.exact <= found.schema_compliant
    assert found.fields_right <= found.fields == 9 * len(answers)
