"""Parameters of functions as people describe them -> JSON Schema: Python's, Java's and JavaScript's names of types too."""

import re
from typing import Any

from astudent.importing.scope import Json, RejectedError, kind, shown

KEPT = (
    *(
        "description",
        "enum",
        "const",
        "default",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
    ),
    *("pattern", "uniqueItems"),
)
"""Keywords that are taken over as they stand."""
NAMES: dict[str, str | None] = {
    **dict.fromkeys(("object", "dict", "dictionary", "hashmap", "map", "mapping"), "object"),
    **dict.fromkeys(("array", "list", "tuple", "set", "arraylist", "sequence", "iterable"), "array"),
    **dict.fromkeys(("number", "float", "double", "decimal"), "number"),
    **dict.fromkeys(("integer", "int", "long", "short", "bigint"), "integer"),
    **dict.fromkeys(("string", "str", "char", "text", "date", "datetime", "time"), "string"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("null", "none", "nonetype"), "null"),
    "any": None,
}
"""By lower-case name; None says nothing about the value."""
MAX_TYPE = 200  # characters of a type's name
TOKEN = re.compile(r"[\[\],|]|[^\[\],|]+")


def parameters_schema(parameters: Json) -> dict[str, Json]:
    """The schema of a function's arguments: from a JSON Schema with loose type names, or from name -> description.

    In the second form a parameter without a default whose type is not `optional` is required.
    """
    if not isinstance(parameters, dict):
        raise RejectedError(f"{kind(parameters)} where a function's parameters are needed")
    if isinstance(parameters.get("properties"), dict):
        return closed(node_schema({**parameters, "type": "object"}))
    if "type" in parameters and not isinstance(parameters["type"], dict):  # an object without properties
        return closed({"type": "object", "properties": {}})
    members = {name: node for name, node in parameters.items() if node is not None}
    required = [name for name, node in members.items() if isinstance(node, dict) and _is_required(node)]
    return closed({"properties": {name: node_schema(node) for name, node in members.items()}, "required": required})


def closed(schema: dict[str, Json]) -> dict[str, Json]:
    """An object's schema that allows the members it names, and no other."""
    properties = schema.get("properties", {})
    required = [name for name in schema.get("required", []) if name in properties]
    said = {key: value for key, value in schema.items() if key in KEPT}
    return {"type": "object", **said, "properties": properties, "required": required, "additionalProperties": False}


def node_schema(node: Json) -> dict[str, Json]:
    """One parameter's schema. RejectedError for a type that is not known and for references."""
    if not isinstance(node, dict):
        raise RejectedError(f"{kind(node)} where a parameter's description is needed")
    if "$ref" in node:
        raise RejectedError("a parameter that refers ($ref) to another place")
    schema = _type_schema(node.get("type", "any")) | {key: node[key] for key in KEPT if key in node}
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(node.get(key), list):
            schema[key] = [node_schema(option) for option in node[key]]
    if isinstance(node.get("items"), dict):
        schema["items"] = node_schema(node["items"])
    if isinstance(node.get("properties"), dict):
        members = {name: node_schema(member) for name, member in node["properties"].items() if member is not None}
        schema |= {"properties": members, "required": _names(node.get("required"), members)}
        schema["additionalProperties"] = False
    return schema


def _names(required: Json, members: dict[str, Json]) -> list[str]:
    return [name for name in required if name in members] if isinstance(required, list) else []


def _is_required(node: dict[str, Json]) -> bool:
    described = str(node.get("type", "")).replace(" ", "").lower()
    return "default" not in node and not node.get("optional") and not re.search(r",optional$|^optional\[", described)


def _type_schema(described: Json) -> dict[str, Any]:
    """`float`, `List[int]`, `str, optional`, `Union[int, str]`, or JSON Schema's own list of names."""
    if isinstance(described, list) and all(isinstance(name, str) for name in described):
        known = [_known(name) for name in described]
        return {} if None in known else {"type": known}
    if not isinstance(described, str) or len(described) > MAX_TYPE:
        raise RejectedError(f"a type that is no short text: {shown(described)}")
    text = re.sub(r",\s*(optional|default.*)$", "", described.strip(), flags=re.IGNORECASE)
    tokens = [token.strip() for token in TOKEN.findall(text) if token.strip()]
    schema, rest = _one_of(tokens)
    if rest:
        raise RejectedError(f"the type {shown(described)} is not known")
    return schema


def _one_of(tokens: list[str]) -> tuple[dict[str, Any], list[str]]:
    """`A | B` from the tokens' start, and the tokens after it."""
    first, rest = _single(tokens)
    options = [first]
    while rest[:1] == ["|"]:
        option, rest = _single(rest[1:])
        options.append(option)
    return _any_of(options), rest


def _any_of(options: list[dict[str, Any]]) -> dict[str, Any]:
    return options[0] if len(options) == 1 else {} if {} in options else {"anyOf": options}


def _single(tokens: list[str]) -> tuple[dict[str, Any], list[str]]:
    if not tokens or not tokens[0][0].isalpha():
        raise RejectedError(f"a type that cannot be read: {shown(' '.join(tokens))}")
    name, inner, rest = tokens[0], [], tokens[1:]
    if rest[:1] == ["["]:
        inner, rest = _arguments(rest[1:])
    match name.rsplit(".", 1)[-1].lower():
        case "optional":
            return inner[0] if inner else {}, rest
        case "union":
            return _any_of(inner or [{}]), rest
        case _:
            known = _known(name)
            schema: dict[str, Any] = {} if known is None else {"type": known}
            if known == "array" and inner and inner[0]:
                schema["items"] = _any_of([option for i, option in enumerate(inner) if option not in inner[:i]])
            return schema, rest


def _arguments(tokens: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """The types up to the closing bracket."""
    found, rest = [], tokens
    while True:
        option, rest = _one_of(rest)
        found.append(option)
        if rest[:1] == ["]"]:
            return found, rest[1:]
        if rest[:1] != [","]:
            raise RejectedError("a type whose brackets do not close")
        rest = rest[1:]


def _known(name: str) -> str | None:
    short = name.rsplit(".", 1)[-1].lower()
    if short not in NAMES:
        raise RejectedError(f"the type {shown(name)} is not known")
    return NAMES[short]
