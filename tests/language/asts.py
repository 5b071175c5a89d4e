"""Hypothesis strategies for ASTs of the small language and for JSON at large."""

from hypothesis import strategies as st
from small_language import CONSTANTS, OPERATORS

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
NUMBERS = st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def comparisons(draw):
    field = draw(st.sampled_from(list(CONSTANTS)))
    operator = draw(st.sampled_from(OPERATORS[field]))
    constant = st.sampled_from(CONSTANTS[field])
    if operator == "between":
        value = draw(st.lists(constant, min_size=2, max_size=2))
    elif operator in ("in", "not_in"):
        value = draw(st.lists(constant, min_size=1, max_size=3))
    else:
        value = draw(constant)
    return {"field": field, "operator": operator, "value": value}


def joined(inner):
    parts = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.builds(lambda p: {"and": p}, parts),
        st.builds(lambda p: {"or": p}, parts),
        st.builds(lambda p: {"not": p}, inner),
    )


CONDITIONS = st.recursive(comparisons(), joined, max_leaves=8)
SORTS = st.lists(
    st.fixed_dictionaries(
        {"field": st.sampled_from(["price", "count", "day"]), "order": st.sampled_from(["asc", "desc"])}
    ),
    min_size=1,
    max_size=2,
)
AGGREGATES = st.one_of(
    st.just({"function": "count"}),
    st.fixed_dictionaries(
        {"function": st.sampled_from(["sum", "avg", "min", "max"]), "field": st.sampled_from(["price", "count"])}
    ),
)
ASTS = st.fixed_dictionaries(
    {"where": CONDITIONS},
    optional={
        "group_by": st.lists(st.sampled_from(["state", "open"]), min_size=1, max_size=2),
        "aggregate": AGGREGATES,
        "sort": SORTS,
        "limit": st.integers(1, 100),
    },
)
