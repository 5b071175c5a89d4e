"""Validation of ASTs, and of schemas that strangers wrote: nothing is fetched, and nothing runs without a bound.

validator_for(schema).problems(ast) -> ["where.and[0].operator: 'gt' is not one of eq, neq"]
check_schema(schema) raises where a schema cannot be used safely
"""

import functools
import json
from typing import Any

import jsonschema
import jsonschema.validators
import referencing
from jsonschema.exceptions import SchemaError, ValidationError

from astudent.errors import RunError
from astudent.language import linear_patterns
from astudent.language.alternatives import quick_keywords
from astudent.language.explanations import explain
from astudent.language.plain_schemas import is_plainly_valid
from astudent.language.quick_validity import QuickValidity
from astudent.language.schema_limits import BudgetError, bounded, budget, check_expansion, check_shape, subschemas

FORMATS = jsonschema.FormatChecker(("date", "email", "ipv4", "ipv6", "uuid"))
MAX_PROBLEMS = 10
Json = Any

# a registry that retrieves nothing: jsonschema's own would open file and http addresses
REGISTRY: referencing.Registry = referencing.Registry()
LinearValidator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    bounded(dict(jsonschema.Draft202012Validator.VALIDATORS) | linear_patterns.KEYWORDS),
)


class Validator:
    """A checked schema, ready to judge instances."""

    def __init__(self, schema: Json) -> None:
        check_schema(schema)
        self.schema = schema
        self._is_surely_valid = QuickValidity(schema, FORMATS)

    @functools.cached_property
    def _validator(self) -> Any:
        """jsonschema's own, which takes longer to make than to use: only where there is something to say."""
        ordinary = LinearValidator.VALIDATORS
        quick = quick_keywords(self.schema, ordinary["anyOf"], ordinary["oneOf"])
        kind = jsonschema.validators.extend(LinearValidator, quick)
        return kind(self.schema, registry=REGISTRY, format_checker=FORMATS)

    def problems(self, ast: Json) -> list[str]:
        """What is wrong with `ast`, `path: reason`, the most telling first; empty when it is valid."""
        try:
            return [explain(error) for error in self.errors(ast)[:MAX_PROBLEMS]]
        except RunError as error:
            return [error.message]

    def errors(self, ast: Json) -> list[ValidationError]:
        """The validator's own errors, the deepest first. RunError when the instance takes too much to be checked."""
        try:
            with budget():
                return sorted(self._validator.iter_errors(ast), key=_deepest_first)
        except BudgetError:
            raise RunError("the schema needs too many steps to check this instance") from None
        except RecursionError:
            raise RunError("nested too deeply to be checked") from None

    def is_valid(self, ast: Json) -> bool:
        """Whether the instance has no problem."""
        if self._is_surely_valid(ast):
            return True
        try:
            with budget():
                return next(self._validator.iter_errors(ast), None) is None
        except (BudgetError, RecursionError):
            return False


def validator_for(schema: Json) -> Validator:
    """The schema's validator, kept for the next call; RunError when `check_schema` refuses the schema."""
    return _cached(json.dumps(schema, ensure_ascii=False))


@functools.lru_cache(maxsize=256)
def _cached(text: str) -> Validator:
    return Validator(json.loads(text))


def check_schema(schema: Json) -> None:
    """RunError when it is no JSON Schema 2020-12, points outside itself, is too large or deep, or has no linear pattern."""
    check_shape(schema)
    try:
        if not is_plainly_valid(schema):
            jsonschema.Draft202012Validator.check_schema(schema, format_checker=jsonschema.FormatChecker(()))
    except SchemaError as error:
        raise RunError(f"not a JSON Schema: {_place(error)}: {error.message[:200]}", "Mend the schema.") from error
    check_expansion(schema)
    for node in subschemas(schema):
        for pattern in [*node.get("patternProperties", {}), *([node["pattern"]] if "pattern" in node else [])]:
            linear_patterns.check(pattern)


def _place(error: ValidationError | SchemaError) -> str:
    return "/".join(["#", *map(str, error.absolute_path)])


def _deepest_first(error: ValidationError) -> tuple[int, str]:
    return (-len(error.absolute_path), str(list(error.absolute_path)))
