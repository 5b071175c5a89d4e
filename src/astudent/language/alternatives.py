"""`anyOf` and `oneOf` without trying every alternative: most can be ruled out by the keys and constants of the instance.

Only what an alternative surely refuses is skipped, and only to find one that accepts. Where none does, jsonschema's own
functions run, so errors are the same as ever.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema

from astudent.language.schema_limits import subschemas

Json = Any
Keyword = Callable[..., Iterator[jsonschema.ValidationError] | None]
MAX_HOPS = 20


@dataclass(frozen=True)
class _Profile:
    """What an object must look like before an alternative is worth a try."""

    required: frozenset[str]
    allowed: frozenset[str] | None  # None: any key
    constants: Mapping[str, frozenset[str]]  # keys that take certain strings only

    def may_fit(self, instance: Mapping[str, Json]) -> bool:
        if not self.required <= instance.keys() or (self.allowed is not None and not instance.keys() <= self.allowed):
            return False
        given = ((instance[key], texts) for key, texts in self.constants.items() if key in instance)
        return all(not isinstance(value, str) or value in texts for value, texts in given)


def quick_keywords(schema: Json, any_of: Keyword, one_of: Keyword) -> dict[str, Keyword]:
    """`anyOf` and `oneOf` for one checked schema; `any_of` and `one_of` are the ordinary ones."""
    profiles = {id(option): _profile(option, schema) for node in subschemas(schema) for option in node.get("anyOf", ())}
    names = {id(node["oneOf"]): found for node in subschemas(schema) if (found := _texts({"oneOf": node.get("oneOf")}))}

    def quick_any_of(
        validator: Any, options: Json, instance: Json, parent: Json
    ) -> Iterator[jsonschema.ValidationError]:
        if isinstance(instance, dict):
            for option in options:
                profile = profiles.get(id(option))
                if profile is None or not profile.may_fit(instance):
                    continue
                if next(validator.descend(instance, option), None) is None:
                    return
        yield from any_of(validator, options, instance, parent) or ()

    def quick_one_of(
        validator: Any, options: Json, instance: Json, parent: Json
    ) -> Iterator[jsonschema.ValidationError]:
        if not (isinstance(instance, str) and instance in names.get(id(options), ())):
            yield from one_of(validator, options, instance, parent) or ()

    return {"anyOf": quick_any_of, "oneOf": quick_one_of}


def _profile(option: Json, schema: Json) -> _Profile | None:
    node = _resolved(option, schema)
    if not isinstance(node, dict) or node.get("type") != "object":
        return None
    properties = node.get("properties", {})
    closed = node.get("additionalProperties") is False and "patternProperties" not in node
    constants = {key: texts for key, value in properties.items() if (texts := _texts(_resolved(value, schema)))}
    return _Profile(frozenset(node.get("required", ())), frozenset(properties) if closed else None, constants)


def _texts(node: Json) -> frozenset[str]:
    """The strings of a node that takes nothing but certain distinct strings; else none."""
    if not isinstance(node, dict):
        return frozenset()
    options = node.get("oneOf")
    if isinstance(options, list) and all(isinstance(o, dict) and set(o) <= {"const", "x-labels"} for o in options):
        values = [option.get("const") for option in options]
    else:
        values = node["enum"] if "enum" in node else [node["const"]] if "const" in node else []
    plain = all(isinstance(value, str) for value in values) and len(set(values)) == len(values)
    return frozenset(values) if plain else frozenset()


def _resolved(node: Json, schema: Json) -> Json:
    """The definition that a lone `$ref` into $defs names; any other node as it is."""
    for _ in range(MAX_HOPS):
        if not isinstance(node, dict) or set(node) != {"$ref"}:
            return node
        prefix, _, name = node["$ref"].rpartition("/")
        node = schema.get("$defs", {}).get(name) if prefix == "#/$defs" else None
    return None
