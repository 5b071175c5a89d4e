"""Which characters the strategies leave out, what a token that holds both weighs, and what patterns let in again."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.errors import UsageError
from astudent.roles import GrammarRole, LimitError, assign_grammar_roles
from astudent.roles.selective import EVEN, LEFT_OUT, TokenWeights, parts

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def counted(strategy: str, text: str, **options: object) -> str:
    """The text with a dot for each character that is left out, each character being a token."""
    weights = TokenWeights(strategy, **options)  # pyright: ignore[reportArgumentType]
    offsets = [(i, i + 1) for i in range(len(text))]
    found = weights.of_tokens(text, assign_grammar_roles(text, True, lenient=True), offsets)
    return "".join(letter if weight else "." for letter, weight in zip(text, found, strict=True))


@pytest.mark.parametrize(
    ("strategy", "kept"),
    [
        ("none", '{"a": [1,null,"x:y"],"b":true}'),
        ("conservative", '."a". .1.null."x:y".."b".true.'),
        ("moderate", '..... .1.null."x:y"......true.'),
        ("aggressive", '.......1.null."x:y"......true.'),
    ],
)
def test_each_strategy_leaves_out_what_its_name_says(strategy: str, kept: str) -> None:
    assert counted(strategy, '{"a": [1,null,"x:y"],"b":true}') == kept


def test_names_are_told_from_values_even_where_they_are_empty() -> None:
    assert counted("moderate", '{"":""}') == '...."".'
    assert counted("aggressive", '{ "" : "k" }') == '......."k"..'


def test_text_that_is_not_json_counts_from_the_fault_on() -> None:
    assert counted("aggressive", '{"a":oops}') == ".....oops}"


def test_a_token_counts_when_any_of_its_characters_does() -> None:
    text = '{"k":"v"}'
    roles = assign_grammar_roles(text, True)
    offsets = [(0, 2), (2, 3), (3, 6), (6, 7), (7, 9), (0, 0)]  # {"  k  ":"  v  "}  and the end of turn
    assert TokenWeights("aggressive").of_tokens(text, roles, offsets) == [0, 0, 1, 1, 1, 1]
    assert TokenWeights("aggressive", role_weights={"END": 0.0}).of_tokens(text, roles, offsets)[-1] == 0


def test_patterns_let_in_what_they_match_or_their_groups() -> None:
    text = '{"operator":"eq","n":1}'
    assert counted("aggressive", text, patterns=('"operator"',)) == '."operator"."eq".....1.'
    assert counted("aggressive", text, patterns=('"(oper)ator":',)) == '..oper......"eq".....1.'
    assert counted("none", text, role_weights={"KEY": 0.0}, patterns=("operator",)) == '{"operator":"eq",".":1}'


def test_a_pattern_without_a_strategy_changes_no_weight_but_zero() -> None:
    text, roles = "[1,2]", assign_grammar_roles("[1,2]", True)
    weights = TokenWeights(role_weights={"NUMBER": 3.0}, patterns=("1",))
    assert weights.of_tokens(text, roles, [(i, i + 1) for i in range(5)]) == [1, 3, 1, 3, 1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"role_weights": {"KEYS": 1.0}}, "no such role: KEYS"),
        ({"strategy": "timid"}, "selective_loss: 'timid'"),
        ({"patterns": ("(",)}, r"semantic_patterns: '\('"),
    ],
)
def test_what_names_nothing_is_a_usage_error(options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        TokenWeights(**options)  # pyright: ignore[reportArgumentType]


def test_a_pattern_that_runs_away_is_stopped() -> None:
    text = json.dumps("a" * 3000 + "!")
    weights = TokenWeights("moderate", patterns=("(?:a|a)+$",))
    with pytest.raises(LimitError, match="needs more than"):
        weights.of_tokens(text, assign_grammar_roles(text, True), [(0, 1)])


@given(VALUES, st.sampled_from([None, 1]), st.data())
def test_strategies_leave_out_more_and_more_and_never_a_value(
    value: object, indent: int | None, draw: st.DataObject
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    roles = assign_grammar_roles(text, True)
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(text)), max_size=8)) | {0, len(text)})
    offsets = list(pairwise(cuts))
    found = [TokenWeights(strategy).of_tokens(text, roles, offsets) for strategy in LEFT_OUT]
    assert found[0] == EVEN.of_tokens(text, roles, offsets) == [1.0] * len(offsets)
    for milder, harder in pairwise(found):
        assert all(b <= a for a, b in zip(milder, harder, strict=True))
    values = {GrammarRole.NUMBER, GrammarRole.BOOLEAN, GrammarRole.FREE_TEXT, GrammarRole.ENUM_VALUE}
    for weight, (start, end) in zip(found[-1], offsets, strict=True):
        assert weight == 1.0 or values.isdisjoint(roles[start:end])
    assert len(parts(text, roles)) == len(text)
