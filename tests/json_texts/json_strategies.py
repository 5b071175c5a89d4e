"""Values and prose that the property tests draw."""

import json
from typing import Any

from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=4)
PROSE = st.text(st.characters(exclude_characters="{}[]", exclude_categories=["Cs"]))


def written(value: Any, indent: int | None = None) -> str:
    """The value as JSON text, characters unescaped."""
    return json.dumps(value, ensure_ascii=False, indent=indent)
