"""Turns a validator's error tree into one short line that says what to mend, and where.

where.and[0].operator: 'gt' is not one of eq, neq
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from jsonschema.exceptions import ValidationError

MAX_NAMES = 16
MAX_VALUE = 60  # characters of an offending value
BRANCHING = ("anyOf", "oneOf")
STRUCTURAL = ("required", "additionalProperties", "type")


def explain(error: ValidationError) -> str:
    """`path: reason` for the deepest place that the instance most likely got wrong."""
    path, reason = path_and_reason(error)
    return f"{path or 'the AST'}: {reason}"


def path_and_reason(error: ValidationError) -> tuple[str, str]:
    """The same in two parts; the path of the whole instance is empty."""
    error, allowed = _most_telling(error)
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return path.lstrip("."), _not_among(error.instance, allowed) if allowed else _reason(error)


def pointer_and_reason(error: ValidationError) -> tuple[str, str]:
    """The same with the path as a JSON pointer (RFC 6901); that of the whole instance is empty."""
    telling, allowed = _most_telling(error)
    return json_pointer(telling.absolute_path), _not_among(telling.instance, allowed) if allowed else _reason(telling)


def json_pointer(path: Iterable[str | int]) -> str:
    """`/items/0/unit~1price`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _most_telling(error: ValidationError) -> tuple[ValidationError, list[Any]]:
    """Follows the alternatives that the instance came closest to; with the constants that were allowed there."""
    while error.validator in BRANCHING and error.context and not _constants(error):
        branches = _by_branch(error)
        best = min(branches.values(), key=lambda errors: _distance(errors, error.instance))
        leading = min(best, key=lambda inner: (not _is_structural(inner), _key_index(inner, error.instance)))
        if _constants(leading):
            rank = _distance(best, error.instance)[:2]
            rivals = [errors for errors in branches.values() if _distance(errors, error.instance)[:2] == rank]
            return leading, _pooled(leading, (inner for errors in rivals for inner in errors))
        error = leading
    return error, _constants(error)


def _by_branch(error: ValidationError) -> dict[int, list[ValidationError]]:
    branches: dict[int, list[ValidationError]] = defaultdict(list)
    for inner in error.context or ():
        branches[int(inner.relative_schema_path[0])].append(inner)
    return branches


def _distance(errors: list[ValidationError], instance: Any) -> tuple[int, int, int]:
    """How far an alternative is: wrong shape first; then the earlier a key fails, the less it was meant."""
    shape = sum(map(_misshapen_keys, errors))
    keys = [_key_index(inner, instance) for inner in errors if not _is_structural(inner)]
    return (shape, -min(keys, default=len(instance) if isinstance(instance, dict) else 0), len(errors))


def _is_structural(error: ValidationError) -> bool:
    return not error.relative_path and error.validator in STRUCTURAL


def _misshapen_keys(error: ValidationError) -> int:
    """How many keys are missing or too many (or 1, for the wrong type altogether)."""
    if not _is_structural(error):
        return 0
    if error.validator == "additionalProperties" and isinstance(error.schema, dict):
        return sum(key not in error.schema.get("properties", {}) for key in _instance(error))
    return 1


def _key_index(error: ValidationError, instance: Any) -> int:
    if isinstance(instance, dict) and error.relative_path:
        return list(instance).index(error.relative_path[0])
    return 0


def _pooled(leading: ValidationError, errors: Iterable[ValidationError]) -> list[Any]:
    """The constants that any of the alternatives allows at the same place."""
    same_place = (inner for inner in errors if list(inner.relative_path) == list(leading.relative_path))
    return list(dict.fromkeys(repr_key(value) for inner in same_place for value in _constants(inner)))


def repr_key(value: Any) -> Any:
    """A hashable stand-in: the value itself, or its spelling."""
    return value if isinstance(value, str | int | float) else str(value)


def _constants(error: ValidationError) -> list[Any]:
    """The values that would have been right, where the error is about nothing else."""
    if error.validator == "enum":
        return list(_expected(error))
    if error.validator == "const":
        return [error.validator_value]
    if error.validator in BRANCHING and error.context:
        inner = [_constants(item) if not item.relative_path else [] for item in error.context]
        return [value for values in inner for value in values] if all(inner) else []
    return []


def _not_among(value: Any, allowed: list[Any]) -> str:
    names = ", ".join(map(str, allowed[:MAX_NAMES])) + (", ..." if len(allowed) > MAX_NAMES else "")
    return f"{_short(value)} is not {'one of ' if len(allowed) > 1 else ''}{names}"


def _reason(error: ValidationError) -> str:
    value, instance, expected = _short(error.instance), _instance(error), _expected(error)
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
            return "unknown key " + ", ".join(_short(key) for key in instance if key not in known)
        case "required":
            return "missing key " + ", ".join(_short(key) for key in expected if key not in instance)
        case "type":
            return f"{value} is not of type {expected}"
        case "format":
            return f"{value} is not a {expected}"
        case "minimum" | "maximum":
            word = "less than the minimum" if error.validator == "minimum" else "greater than the maximum"
            return f"{value} is {word} {expected}"
        case "minItems" | "maxItems":
            least = "at least" if error.validator == "minItems" else "at most"
            return f"{len(instance)} items where {least} {expected} are needed"
    return f"{value} breaks {error.validator}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 3] + "..."


def _expected(error: ValidationError) -> Any:
    """The keyword's value (jsonschema types it as possibly unset)."""
    return error.validator_value


def _instance(error: ValidationError) -> Any:
    return error.instance
