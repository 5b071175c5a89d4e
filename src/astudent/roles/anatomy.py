"""Roles as one letter per character, to be read below the text itself."""

from collections.abc import Iterable

from astudent.roles.role import GrammarRole

LETTERS = {
    GrammarRole.STRUCTURAL: "s",
    GrammarRole.QUOTE: "q",
    GrammarRole.KEY: "K",
    GrammarRole.ENUM_VALUE: "E",
    GrammarRole.BOOLEAN: "B",
    GrammarRole.NUMBER: "N",
    GrammarRole.FREE_TEXT: "F",
    GrammarRole.WHITESPACE: "_",
    GrammarRole.UNKNOWN: "?",
    GrammarRole.END: "$",
}


def anatomy(roles: Iterable[GrammarRole]) -> str:
    """`{"a":1}` gives `sqKqsNs`: capital letters for content, small ones for what holds it together."""
    return "".join(LETTERS[role] for role in roles)
