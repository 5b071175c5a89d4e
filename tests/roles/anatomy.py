"""A readable form for expected roles: one letter per character."""

from typing import Any

from astudent.roles import GrammarRole, assign_grammar_roles

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


def letters(text: str, schema: Any = True, lenient: bool = False) -> str:
    return "".join(LETTERS[role] for role in assign_grammar_roles(text, schema, lenient))


def content_role(text: str, content: str, schema: Any) -> GrammarRole:
    """The one role of the only place where `content` stands in `text`."""
    assert text.count(content) == 1
    start = text.index(content)
    found = set(assign_grammar_roles(text, schema)[start : start + len(content)])
    assert len(found) == 1
    return found.pop()
