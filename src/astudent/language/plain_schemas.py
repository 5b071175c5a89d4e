"""A quick yes for schemas that use JSON Schema 2020-12 plainly.

Checking a schema against the meta-schema costs some 60 ms; every stage reads hundreds of schemas. What this module
calls valid is valid under the meta-schema; what it does not know goes through the slow check.
"""

from collections.abc import Callable
from typing import Any

Json = Any

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def is_plainly_valid(schema: Json) -> bool:
    """True only for a valid schema; False says nothing. The caller has bounded the schema's depth."""
    if isinstance(schema, bool):
        return True
    if not isinstance(schema, dict):
        return False
    return all(_is_valid_keyword(keyword, value) for keyword, value in schema.items())


def _is_valid_keyword(keyword: str, value: Json) -> bool:
    check = _CHECKS.get(keyword)
    return check(value) if check is not None else keyword.startswith("x-")


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_type(value: Json) -> bool:
    return isinstance(value, str) and value in _TYPES


def _are_names(value: Json) -> bool:
    return isinstance(value, list) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _are_schemas(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_plainly_valid, value))


def _is_map(value: Json) -> bool:
    return isinstance(value, dict) and all(map(is_plainly_valid, value.values()))


def _is_anything(value: Json) -> bool:
    return True


# `$ref`, `$schema` and `pattern` have formats beside their type, which the meta-schema does not assert.
_CHECKS: dict[str, Callable[[Json], bool]] = {
    **dict.fromkeys(("$ref", "title", "description", "format", "$comment"), _is_text),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"), _is_count),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _are_schemas),
    **dict.fromkeys(("properties", "$defs"), _is_map),
    **dict.fromkeys(("items", "additionalProperties", "not", "contains"), is_plainly_valid),
    "$schema": lambda value: value == "https://json-schema.org/draft/2020-12/schema",
    "type": _is_type,
    "required": _are_names,
    "enum": lambda value: isinstance(value, list),
    "const": _is_anything,
}
