"""ASTs as text and back: one spelling for each AST, and a reader that no text can hurt.

serialise(ast, schema) -> keys in the schema's order, no spaces, UTF-8 unescaped, integers without `.0`
parse_ast(text) -> (ast, None) or (None, what is wrong)
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from astudent.language.pointers import MISSING, at_pointer

MAX_CHARACTERS = 50_000
MAX_DEPTH = 64  # nested brackets; more than anybody says in one request
MAX_INTEGER = 2**53 - 1  # beyond it JSON readers disagree about the number (RFC 8259, section 6)
MAX_HOPS = 20  # $ref and anyOf between two levels of the instance
INTEGRAL_BELOW = 1e16  # from there on a float's shortest spelling has an exponent

Json = Any
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
BRACKETS = re.compile(r"[\[\]{}]")


class _RefusedError(ValueError):
    """The text is JSON for some readers, but nothing that we take."""


def serialise(ast: Json, schema: Json) -> str:
    """The canonical spelling of any JSON value that goes with `schema`; keys unknown to it come last, as they stand."""
    return dumps(in_schema_order(ast, schema))


def dumps(value: Json) -> str:
    """JSON without spaces, unescaped, numbers in one form; keys as they stand."""
    return json.dumps(plain_numbers(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def plain_numbers(value: Json) -> Json:
    """A copy in which 5.0 is 5 and -0.0 is 0."""
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_numbers(item) for item in value]
    if isinstance(value, float) and abs(value) < INTEGRAL_BELOW and value.is_integer():
        return int(value)
    return value


def in_schema_order(value: Json, schema: Json) -> Json:
    """A copy with the keys of every object in the order of the schema's `properties`."""
    return _ordered(value, [schema], schema)


def _ordered(value: Json, nodes: list[Json], root: Json) -> Json:
    """`nodes` are the schema nodes that apply at this place, or may."""
    if isinstance(value, dict):
        branch = _best_branch(value, nodes, root)
        properties = branch.get("properties", {})
        keys = [key for key in properties if key in value] + [key for key in value if key not in properties]
        return {key: _ordered(value[key], [properties.get(key, True)], root) for key in keys}
    if isinstance(value, list):
        options = [option for option in _branches(nodes, root) if _is_array(option)]
        return [
            _ordered(item, [_item_node(option, index) for option in options], root) for index, item in enumerate(value)
        ]
    return value


def _is_array(node: Mapping[str, Json]) -> bool:
    return "items" in node or "prefixItems" in node


def _item_node(node: Mapping[str, Json], index: int) -> Json:
    fixed = node.get("prefixItems", [])
    return fixed[index] if index < len(fixed) else node.get("items", True)


def _best_branch(value: dict[str, Json], nodes: list[Json], root: Json) -> Mapping[str, Json]:
    """The object schema that describes `value` best: constants that agree, then keys known, then keys not missing."""

    def fit(node: Mapping[str, Json]) -> tuple[int, int, int]:
        properties = node.get("properties", {})
        known = [key for key in value if key in properties]
        agreeing = sum(_allows(properties[key], value[key], root) for key in known)
        return (len(known) - len(value), agreeing, -sum(key not in value for key in node.get("required", ())))

    objects = [node for node in _branches(nodes, root) if isinstance(node.get("properties"), dict)]
    return max(objects, key=fit, default={})


def _allows(node: Json, value: Json, root: Json) -> bool:
    """False where constants rule the value out; True where there are none to say so."""
    constants = [
        constant
        for branch in _branches([node], root)
        for constant in ([branch["const"]] if "const" in branch else branch.get("enum", []))
    ]
    return value in constants if constants else True


def _branches(nodes: list[Json], root: Json, hops: int = 0) -> Iterator[Mapping[str, Json]]:
    """All object-shaped nodes reached from `nodes` through $ref, anyOf, oneOf and allOf on the same place."""
    for node in nodes:
        if not isinstance(node, dict) or hops > MAX_HOPS:
            continue
        yield node
        inner = [option for key in ("anyOf", "oneOf", "allOf") for option in _list(node.get(key))]
        if "$ref" in node:
            inner.append(_pointed_at(root, node["$ref"]))
        yield from _branches(inner, root, hops + 1)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _pointed_at(root: Json, reference: Json) -> Json:
    """What `#/a/b` points at in the schema; True (no statement) where it points nowhere inside."""
    found = at_pointer(root, reference[1:]) if isinstance(reference, str) and reference.startswith("#") else MISSING
    return True if found is MISSING else found


def parse_ast(text: str) -> tuple[dict[str, Json] | None, str | None]:
    """One JSON object, or None and one line that says what is wrong. Never raises, whatever the text.

    Refused beside what is no JSON: more than 50,000 characters or 64 levels, NaN and infinities, repeated keys,
    integers that do not fit into 53 bits, half surrogate pairs.
    """
    try:
        _check_size(text)
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
        # half of a surrogate pair is no character: it cannot be written to a file
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at character {error.pos}"
    except UnicodeEncodeError:
        return None, "half of a surrogate pair in a string"
    except _RefusedError as error:
        return None, str(error)
    if not isinstance(value, dict):
        return None, f"not an object but {_kind(value)}"
    return value, None


def _check_size(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise _RefusedError(f"longer than {MAX_CHARACTERS} characters")
    depth = 0
    for bracket in BRACKETS.findall(STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise _RefusedError(f"key {repeated[:40]!r} is there twice")
    return result


def _no_constant(name: str) -> Json:
    raise _RefusedError(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > MAX_INTEGER:
        raise _RefusedError(f"integer {digits[:20]}... is too large")
    return int(digits)


def _finite(digits: str) -> float:
    if not math.isfinite(float(digits)):
        raise _RefusedError(f"number {digits[:20]} is too large")
    return float(digits)


def _kind(value: Json) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return kinds.get(type(value), "null")
