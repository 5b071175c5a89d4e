"""Two ASTs, place by place: truth is what was changed on purpose."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.report.ast_diff import MOST_ITEMS, Difference, Place, differences

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4)
)
PRICE = {"field": "price", "operator": "gt", "value": 5}
COLOUR = {"field": "colour", "operator": "eq", "value": "red"}
SIZE = {"field": "size", "operator": "lt", "value": 9}


def told(known: Any, answer: Any) -> list[tuple[str, str]]:
    return [(found.path, found.kind) for found in differences(known, answer)]


def test_each_kind_has_its_path():
    known = {"where": PRICE, "limit": 3}
    answer = {"where": {**PRICE, "operator": "lt"}, "sort": []}
    assert told(known, answer) == [("where.operator", "changed"), ("limit", "missing"), ("sort", "added")]
    assert told(1, 2) == [("$", "changed")]
    assert told({"a": 1}, {"b": 1}) == [("$", "changed")]


def test_parts_of_and_are_paired_by_likeness_whatever_their_order():
    known, answer = {"and": [PRICE, COLOUR, SIZE]}, {"and": [SIZE, {**PRICE, "value": 6}, COLOUR]}
    (found,) = differences(known, answer)
    assert (found.path, found.answer_at) == ("and[0].value", ("and", 1, "value"))
    assert told({"and": [PRICE, COLOUR]}, {"and": [COLOUR]}) == [("and[0]", "missing")]
    assert told({"and": [COLOUR, {"not": PRICE}]}, {"and": [PRICE, COLOUR]}) == [("and[1]", "changed")]
    assert told({"or": [PRICE]}, {"or": [COLOUR, PRICE]}) == [("or[0]", "added")]


def test_one_item_too_many_does_not_make_all_others_differ():
    assert told(["a", "b", "c"], ["x", "a", "b", "c"]) == [("[0]", "added")]
    assert told([1, 2], [2, 1]), "the order of other arrays counts"


@pytest.mark.parametrize(("known", "answer"), [(1, True), (0, False), ("1", 1), (None, False), ([], {})])
def test_kinds_of_values_are_told_apart(known: Any, answer: Any):
    assert told({"a": known}, {"a": answer}) == [("a", "changed")]


def test_an_integral_float_is_the_integer():
    assert told({"a": 5}, {"a": 5.0}) == []


def test_large_and_deep_input_takes_no_time_and_no_stack():
    many = list(range(20 * MOST_ITEMS))
    assert len(differences({"and": many}, {"and": many[1:]})) == len(many)
    deep: Any = 1
    for _ in range(150):
        deep = {"a": deep}
    other = copy.deepcopy(deep)
    node = other
    while isinstance(node["a"], dict):
        node = node["a"]
    node["a"] = 2
    assert len(differences(deep, other)) == 1


@given(JSON)
def test_nothing_differs_from_itself(value: Any):
    assert differences(value, copy.deepcopy(value)) == []


@given(JSON, JSON)
def test_every_difference_stands_where_it_says(known: Any, answer: Any):
    found = differences(known, answer)
    assert bool(found) == (repr(known) != repr(answer)) or sorted_keys(known) == sorted_keys(answer)
    for each in found:
        assert each.known_at is None or at(known, each.known_at) == each.known
        assert each.answer_at is None or at(answer, each.answer_at) == each.answer


@given(JSON, JSON)
def test_the_differences_applied_to_the_known_give_the_answer(known: Any, answer: Any):
    assert sorted_keys(applied(known, differences(known, answer))) == sorted_keys(answer)


def at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def sorted_keys(value: Any) -> str:
    """Equal for equal JSON, whatever the order of keys; True is not 1."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{sorted_keys(value[key])}" for key in sorted(value)) + "}"
    return "[" + ",".join(map(sorted_keys, value)) + "]" if isinstance(value, list) else repr(value)


def applied(known: Any, found: list[Difference]) -> Any:
    """Known values changed, then missing ones taken out from the last on, then added ones put in from the first on."""
    whole = {"": copy.deepcopy(known)}
    for each in [each for each in found if each.kind == "changed"]:
        parent, step = at(whole, ("", *each.place)[:-1]), ("", *each.place)[-1]
        parent[step] = each.answer
    for each in reversed([each for each in found if each.kind == "missing"]):
        del at(whole, ("", *each.place)[:-1])[each.place[-1]]
    for each in [each for each in found if each.kind == "added"]:
        parent = at(whole, ("", *each.place)[:-1])
        step: Any = each.place[-1]
        parent.insert(step, each.answer) if isinstance(parent, list) else parent.update({step: each.answer})
    return whole[""]
