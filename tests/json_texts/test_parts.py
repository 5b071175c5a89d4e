"""Roles as spans and counts."""

from typing import Any

from hypothesis import given
from json_strategies import VALUES, written

from astudent.json_texts.parts import role_counts, role_spans
from astudent.roles import GrammarRole, assign_grammar_roles


@given(VALUES)
def test_spans_and_counts_cover_the_text(value: Any) -> None:
    text = written(value, indent=1)
    roles = assign_grammar_roles(text, True)
    spans = role_spans(roles)
    assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])]
    assert spans[-1].end == len(text) == sum(role_counts(roles).values())
    assert [role for span in spans for role in [span.role] * (span.end - span.start)] == roles


def test_counts_by_role() -> None:
    counts = role_counts(assign_grammar_roles('{"a":12}', True))
    assert counts == {
        GrammarRole.NUMBER: 2, GrammarRole.KEY: 1, GrammarRole.QUOTE: 2, GrammarRole.STRUCTURAL: 3
    }  # fmt: skip
