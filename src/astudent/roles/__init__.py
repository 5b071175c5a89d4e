"""Grammar roles of the characters and tokens of JSON texts, by JSON Schema. Imports no torch."""

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
