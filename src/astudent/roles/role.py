"""The grammar roles that a character, or a token, of a JSON text can play."""

from enum import StrEnum


class GrammarRole(StrEnum):
    """What a character of a JSON text is for.

    The members stand in the order in which a token that straddles several roles takes one of them: the rarer and the
    more meaningful comes first (values, then keys, then what merely holds them together).
    """

    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"  # true, false, and the content of a string whose enum is True/False
    ENUM_VALUE = "ENUM_VALUE"  # content of a string that `enum` or `const` lists
    FREE_TEXT = "FREE_TEXT"  # content of any other string value
    KEY = "KEY"  # content of a member's name
    QUOTE = "QUOTE"  # the quotation marks of names and values
    STRUCTURAL = "STRUCTURAL"  # { } [ ] : , and null
    UNKNOWN = "UNKNOWN"  # from the first fault on, in text that is not JSON
    WHITESPACE = "WHITESPACE"
    END = "END"  # the end of turn: a token that covers no character

    # Enum's own hash is a Python function; hot loops look roles up in dictionaries.
    __hash__ = str.__hash__


PRECEDENCE = {role: rank for rank, role in enumerate(GrammarRole)}
"""A straddling token takes the role with the smallest rank among the characters that it covers."""

ROLES = tuple(GrammarRole)
"""Decodes the byte codes of `Scan.codes`: code c means ROLES[c]."""
