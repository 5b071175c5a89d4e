"""The roles of a text as spans and as counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from astudent.roles import GrammarRole


@dataclass(frozen=True, slots=True)
class Span:
    """text[start:end] (characters) has one role."""

    start: int
    end: int
    role: GrammarRole


def role_spans(roles: Sequence[GrammarRole]) -> list[Span]:
    """The longest stretches of one role, which cover the text without a gap."""
    spans, start = [], 0
    for role, stretch in groupby(roles):
        end = start + sum(1 for _ in stretch)
        spans.append(Span(start, end, role))
        start = end
    return spans


def role_counts(roles: Sequence[GrammarRole]) -> dict[GrammarRole, int]:
    """Characters of each role that occurs, in the order of GrammarRole."""
    counts = Counter(roles)
    return {role: counts[role] for role in GrammarRole if counts[role]}
