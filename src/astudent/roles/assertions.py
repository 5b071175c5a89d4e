"""The keywords of JSON Schema that look at one value without any subschema: keyword -> a check of a Value."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from astudent.roles.patterns import searcher
from astudent.roles.references import SchemaError
from astudent.roles.value import Kind, Value

Check = Callable[[Value], bool]
_KINDS: frozenset[str] = frozenset({"object", "array", "string", "number", "boolean", "null"})


def checks_of(raw: dict[str, Any]) -> tuple[Check, ...]:
    """The checks of all such keywords of a subschema but `type`, `const`, `enum`, `required`; the cheap ones first."""
    if _BUILDERS.keys().isdisjoint(raw):
        return ()
    return tuple(build(raw[keyword], raw) for keyword, build in _BUILDERS.items() if keyword in raw)


def kinds_of(raw: dict[str, Any]) -> tuple[frozenset[str] | None, bool]:
    """The kinds that `type` allows (None: all), and whether a number must be whole."""
    if "type" not in raw:
        return None, False
    names = raw["type"] if isinstance(raw["type"], list) else [raw["type"]]
    kinds = frozenset("number" if name == "integer" else name for name in names if isinstance(name, str))
    if len(kinds) < 1 or not all(isinstance(name, str) for name in names) or not kinds <= _KINDS:
        if names == ["any"]:  # draft 3
            return None, False
        raise SchemaError(f"type must be one of {', '.join(sorted(_KINDS | {'integer'}))}, not {raw['type']!r}")
    return kinds, "integer" in names and "number" not in names


def is_whole(value: Value) -> bool:
    """Whether the number is an integer for JSON Schema: 3 and 3.0 are."""
    return isinstance(value.data, int) or value.data.is_integer()


def _number(keyword: str, passes: Callable[[Any, Any], bool]) -> Callable[[Any, dict[str, Any]], Check]:
    def build(bound: Any, raw: dict[str, Any]) -> Check:
        if isinstance(bound, bool) and keyword.startswith("exclusive"):  # draft 4: a flag of minimum and maximum
            return lambda value: True
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise SchemaError(f"{keyword} must be a number, not {bound!r}")
        strict = raw.get({"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(keyword, "")) is True
        return lambda value: (
            value.kind != "number" or (passes(value.data, bound) and not (strict and value.data == bound))
        )

    return build


def _size(keyword: str, kind: Kind, passes: Callable[[int, Any], bool]) -> Callable[[Any, dict[str, Any]], Check]:
    def build(bound: Any, raw: dict[str, Any]) -> Check:
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise SchemaError(f"{keyword} must be a number, not {bound!r}")
        return lambda value: value.kind != kind or passes(len(value.data), bound)

    return build


def _is_multiple(number: float, of: float) -> bool:
    if isinstance(number, int) and isinstance(of, int):
        return of != 0 and number % of == 0
    try:
        return of != 0 and (Fraction(repr(number)) / Fraction(repr(of))).denominator == 1
    except (ValueError, OverflowError):  # infinite: a number beyond every float
        return False


def _pattern(pattern: Any, raw: dict[str, Any]) -> Check:
    found = searcher_for(pattern)
    return lambda value: value.kind != "string" or found(value.data)


def searcher_for(pattern: Any) -> Callable[[str], bool]:
    """`patterns.searcher`, with a SchemaError for what is no pattern."""
    try:
        return searcher(pattern)
    except (ValueError, TypeError) as error:
        raise SchemaError(f"pattern {pattern!r} cannot be read: {error}") from None


def required_of(raw: dict[str, Any]) -> frozenset[str]:
    """The names that an object must have."""
    names = raw.get("required", [])
    if isinstance(names, bool):  # draft 3: a flag of the property itself
        return frozenset()
    return frozenset(_strings("required", names))


def _dependent_required(rules: Any, raw: dict[str, Any]) -> Check:
    if not isinstance(rules, dict):
        raise SchemaError(f"dependentRequired must be an object, not {rules!r}")
    lists = {name: names for name, names in rules.items() if isinstance(names, list)}
    wanted = {name: frozenset(_strings("dependentRequired", names)) for name, names in lists.items()}
    return lambda value: (
        value.kind != "object" or all(wanted[name] <= value.data.keys() for name in wanted.keys() & value.data.keys())
    )


def _strings(keyword: str, names: Any) -> Iterable[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SchemaError(f"{keyword} must be a list of names, not {names!r}")
    return names


def _unique(flag: Any, raw: dict[str, Any]) -> Check:
    if flag is not True:
        return lambda value: True
    return lambda value: value.kind != "array" or len({item.identity for item in value.data}) == len(value.data)


_BUILDERS: dict[str, Callable[[Any, dict[str, Any]], Check]] = {
    "minimum": _number("minimum", lambda number, bound: number >= bound),
    "maximum": _number("maximum", lambda number, bound: number <= bound),
    "exclusiveMinimum": _number("exclusiveMinimum", lambda number, bound: number > bound),
    "exclusiveMaximum": _number("exclusiveMaximum", lambda number, bound: number < bound),
    "multipleOf": _number("multipleOf", _is_multiple),
    "minLength": _size("minLength", "string", lambda size, bound: size >= bound),
    "maxLength": _size("maxLength", "string", lambda size, bound: size <= bound),
    "minItems": _size("minItems", "array", lambda size, bound: size >= bound),
    "maxItems": _size("maxItems", "array", lambda size, bound: size <= bound),
    "minProperties": _size("minProperties", "object", lambda size, bound: size >= bound),
    "maxProperties": _size("maxProperties", "object", lambda size, bound: size <= bound),
    "dependentRequired": _dependent_required,
    "dependencies": _dependent_required,
    "uniqueItems": _unique,
    "pattern": _pattern,
}
