"""Grammar roles of the characters and tokens of JSON texts, by JSON Schema. Imports no torch."""

from typing import TYPE_CHECKING, Any

from astudent.roles.assign import RoleAssigner, assign_grammar_roles
from astudent.roles.limits import LimitError, Limits
from astudent.roles.references import SchemaError
from astudent.roles.role import GrammarRole
from astudent.roles.scan import JsonSyntaxError
from astudent.roles.tokens import token_role_shares, token_roles

if TYPE_CHECKING:
    from astudent.roles.analysis import analyze
    from astudent.roles.report import RoleReport

__all__ = [
    "GrammarRole",
    "JsonSyntaxError",
    "LimitError",
    "Limits",
    "RoleAssigner",
    "RoleReport",
    "SchemaError",
    "analyze",
    "assign_grammar_roles",
    "token_role_shares",
    "token_roles",
]


def __getattr__(name: str) -> Any:
    """`analyze` and `RoleReport`, found when they are asked for: they need more than roles do."""
    if name == "analyze":
        from astudent.roles.analysis import analyze

        return analyze
    if name == "RoleReport":
        from astudent.roles.report import RoleReport

        return RoleReport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
