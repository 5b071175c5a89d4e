"""Facts of ASTs: what counts as half right, and what order means."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from astudent.evaluation.facts import field_score
from astudent.evaluation.slices import field_types, shape_of, slices_of

PRICE = {"field": "price", "operator": "gt", "value": 5}
STATUS = {"field": "status", "operator": "in", "value": ["open", "paid"]}


def test_equal_asts_score_one():
    ast = {"where": {"and": [PRICE, STATUS]}, "sort": [{"field": "price", "order": "asc"}], "limit": 3}
    assert field_score(ast, ast).f1 == 1


def test_order_of_and_and_of_sets_does_not_matter():
    other = {**STATUS, "value": ["paid", "open"]}
    assert field_score({"where": {"and": [other, PRICE]}}, {"where": {"and": [PRICE, STATUS]}}).f1 == 1


def test_order_of_sort_keys_and_range_ends_matters():
    keys = [{"field": "price", "order": "asc"}, {"field": "date", "order": "asc"}]
    assert field_score({"sort": keys[::-1]}, {"sort": keys}).shared == 0
    low, high = ({"field": "price", "operator": "between", "value": v} for v in ([1, 2], [2, 1]))
    assert field_score({"where": low}, {"where": high}).shared == 2


def test_one_wrong_operator_keeps_the_field():
    wrong = {**PRICE, "operator": "lt"}
    score = field_score({"where": wrong}, {"where": PRICE})
    assert (score.shared, score.answered, score.known) == (1, 3, 3)


def test_numbers_have_one_form():
    assert field_score({"where": {**PRICE, "value": 5.0}}, {"where": PRICE}).f1 == 1


def test_a_lost_negation_costs_the_place_only():
    score = field_score({"where": PRICE}, {"where": {"not": PRICE}})
    assert (score.shared, score.known) == (2, 3)


def test_no_answer_states_nothing():
    score = field_score(None, {"limit": 3})
    assert (score.precision, score.recall, score.f1) == (0, 0, 0)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["where", "and", "not", "or", "field", "operator", "value", "sort", "group_by"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["where", "sort", "aggregate", "group_by", "limit", "x"]), JSON, max_size=4))
def test_any_json_object_can_be_scored(ast: dict[str, Any]):
    assert field_score(ast, ast).f1 == 1
    assert 0 <= field_score(ast, {"where": PRICE}).f1 <= 1


def test_shape_counts_conditions_depth_and_constructs():
    ast = {"where": {"and": [PRICE, {"or": [STATUS, {"not": PRICE}]}]}, "sort": [], "limit": 1}
    shape = shape_of(ast)
    assert (shape.conditions, shape.depth) == (3, 3)
    assert shape.constructs == ("conditions", "nesting", "negation", "sort", "limit")
    assert ("operator", "in") in set(slices_of(shape)) and ("conditions", "3+") in set(slices_of(shape))


def test_types_of_the_fields_that_an_ast_names(schema: dict[str, Any]):
    condition = {"not": {"and": [PRICE, STATUS]}}
    ast = {"where": condition, "group_by": ["paid"], "sort": [{"field": "sent_on", "order": "asc"}]}
    assert field_types(ast, schema) == ["boolean", "date", "enum", "number"]
    city = {"where": {"field": "city", "operator": "in", "value": ["price", "paid"]}}
    assert field_types(city, schema) == ["string"], "a value is no field"
    assert field_types({"where": {"field": 5}, "group_by": 3}, schema) == field_types(ast, {"type": "object"}) == []


def test_shape_of_an_aggregate_has_no_conditions():
    shape = shape_of({"aggregate": {"function": "count"}, "group_by": ["status"]})
    assert (shape.conditions, shape.depth, shape.constructs) == (0, 0, ("group", "aggregate"))
