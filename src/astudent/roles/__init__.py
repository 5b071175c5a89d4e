"""Grammar roles of the characters and tokens of JSON texts, by JSON Schema. Imports no torch."""

from importlib import import_module
from typing import Any

from astudent.roles.assign import RoleAssigner, assign_grammar_roles
from astudent.roles.limits import LimitError, Limits
from astudent.roles.references import SchemaError
from astudent.roles.role import GrammarRole
from astudent.roles.scan import JsonSyntaxError
from astudent.roles.tokens import token_role_shares, token_roles

__all__ = [
    "GrammarRole",
    "JsonSyntaxError",
    "LimitError",
    "Limits",
    "RoleAssigner",
    "SchemaError",
    "assign_grammar_roles",
    "token_role_shares",
    "token_roles",
]


_ELSEWHERE = {"analyze": "astudent.role_losses.analysis", "RoleReport": "astudent.role_losses.report"}
"""What users look for here too. It needs more than roles do, so it is found when it is asked for."""


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        return getattr(import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
