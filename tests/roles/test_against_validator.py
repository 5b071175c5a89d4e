"""Roles against an independent truth: a string is enumerated exactly when a sentinel in its place is an enum error.

Schemas and instances are made at random; the truth comes from the jsonschema package, which shares nothing with ours.
"""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from astudent.roles import GrammarRole, RoleAssigner, assign_grammar_roles
from astudent.roles.scan import scan
from astudent.roles.validity import Validity

Path = tuple[str | int, ...]
WORDS = ["red", "blue", "a b", "été", "x\n", "3", ""]
SENTINEL = "\u2063 no such value \u2063"


class Maker:
    """Random schemas (with $ref, recursion, anyOf/oneOf/allOf, if, arrays) and values that mostly hold them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.definitions: dict[str, Any] = {}

    def schema(self) -> dict[str, Any]:
        names = [f"d{i}" for i in range(self.random.randint(1, 4))]
        self.definitions = dict.fromkeys(names, True)
        for name in names:
            self.definitions[name] = self.subschema(2)
        return {**self.object(3), "$defs": self.definitions}

    def subschema(self, depth: int) -> Any:
        leaves = [
            self.words,
            self.words,
            lambda: {"type": "string"},
            lambda: {"type": ["number", "null"]},
            lambda: True,
        ]
        if depth == 0:
            return self.random.choice(leaves)()
        inner = [self.object, self.object, self.array, self.choice, self.choice, self.every, self.when]
        make = self.random.choice([*inner, *[lambda _, leaf=leaf: leaf() for leaf in leaves], lambda _: self.ref()])
        return make(depth - 1)

    def words(self) -> dict[str, Any]:
        some = self.random.sample(WORDS, self.random.randint(1, 3))
        shapes = [
            {"enum": some},
            {"const": some[0]},
            {"oneOf": [{"const": word} for word in some]},
            {"enum": [*some, 3]},
        ]
        return self.random.choice(shapes)

    def ref(self) -> dict[str, Any]:
        return {"$ref": f"#/$defs/{self.random.choice(list(self.definitions))}"}

    def object(self, depth: int) -> dict[str, Any]:
        names = self.random.sample(["a", "b", "c", "d/e", 'q"'], self.random.randint(1, 4))
        made: dict[str, Any] = {"type": "object", "properties": {name: self.subschema(depth) for name in names}}
        if self.random.random() < 0.6:
            made["required"] = self.random.sample(names, self.random.randint(1, len(names)))
        extra = self.random.random()
        if extra < 0.4:
            made["additionalProperties"] = extra < 0.2 and self.subschema(0)
        if self.random.random() < 0.15:
            made["patternProperties"] = {"^[ab]": self.subschema(0)}
        return made

    def array(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "array", "items": self.subschema(depth)}
        if self.random.random() < 0.3:
            made["prefixItems"] = [self.subschema(depth)]
        return made

    def choice(self, depth: int) -> dict[str, Any]:
        keyword = self.random.choice(["anyOf", "anyOf", "oneOf"])
        if self.random.random() < 0.5:
            return {keyword: [self.subschema(depth) for _ in range(self.random.randint(2, 3))]}
        kinds = self.random.sample(WORDS, 3)
        branches = [self.object(depth) for _ in kinds]
        for branch, kind in zip(branches, kinds, strict=True):
            branch["properties"]["a"] = {"const": kind}
            branch["required"] = ["a"]
        return {keyword: branches}

    def every(self, depth: int) -> dict[str, Any]:
        return {"allOf": [self.object(depth), self.subschema(depth)]}

    def when(self, depth: int) -> dict[str, Any]:
        # A test that a sentinel cannot flip: else it would answer for another branch than the instance's own.
        test = self.random.choice([{"required": ["a"]}, {"type": "object"}, {"properties": {"b": {"type": "string"}}}])
        return {"if": test, "then": self.subschema(depth), "else": self.subschema(depth)}

    def value(self, schema: Any, depth: int = 0) -> Any:
        if schema is True or depth > 6:
            return self.random.choice([*WORDS, 3, True, None])
        if "$ref" in schema:
            return self.value(self.definitions[schema["$ref"].rsplit("/", 1)[1]], depth + 1)
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return self.value(self.random.choice(schema[keyword]), depth + 1)
        if "then" in schema:
            return self.value(self.random.choice([schema["then"], schema["else"]]), depth + 1)
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else self.random.choice(schema["enum"])
        if schema["type"] == "object":
            names = [n for n in schema["properties"] if n in schema.get("required", []) or self.random.random() < 0.7]
            return {name: self.value(schema["properties"][name], depth + 1) for name in names}
        if schema["type"] == "array":
            lead = [self.value(child, depth + 1) for child in schema.get("prefixItems", [])]
            return lead + [self.value(schema["items"], depth + 1) for _ in range(self.random.randint(0, 2))]
        return self.random.choice(WORDS) if schema["type"] == "string" else self.random.choice([3, 1.5, None])


def pairs(count: int) -> Iterator[tuple[Any, Any]]:
    """Pairs of a schema and an instance that is valid under it and holds a string."""
    seed = 0
    while count:
        maker = Maker(seed)
        schema = maker.schema()
        seed += 1
        try:
            validator = Draft202012Validator(schema)
            for _ in range(4):
                instance = maker.value(schema)
                if validator.is_valid(instance) and any(True for _ in strings(instance)):
                    yield schema, instance
                    count -= 1
                    break
        except RecursionError:  # a schema that refers to itself without an end
            continue


def strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from strings(child, (*path, key))


def replaced(instance: Any, path: Path, by: str) -> Any:
    if not path:
        return by
    made = copy.deepcopy(instance)
    target = made
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = by
    return made


def is_enumerated(validator: Draft202012Validator, instance: Any, path: Path) -> bool:
    pending: list[ValidationError] = list(validator.iter_errors(replaced(instance, path, SENTINEL)))
    while pending:
        error = pending.pop()
        if error.validator in ("enum", "const") and tuple(error.absolute_path) == path:
            return True
        pending.extend(error.context or ())
    return False


def string_roles(instance: Any, schema: Any, indent: int | None) -> dict[Path, GrammarRole]:
    """The role of each string value that is not empty, by its path."""
    text = json.dumps(instance, indent=indent)
    roles = RoleAssigner(schema).roles(text)
    assert len(roles) == len(text)
    assert roles == RoleAssigner(schema).scan(text).roles  # the quick way and the way that knows positions
    assert GrammarRole.UNKNOWN not in roles
    found: dict[Path, GrammarRole] = {}
    pending: list[tuple[Path, Any]] = [((), scan(text).root)]
    while pending:
        path, value = pending.pop()
        if value.kind == "string" and value.data:
            inside = set(roles[value.start + 1 : value.end - 1])
            assert len(inside) == 1
            found[path] = inside.pop()
        elif value.kind in ("object", "array"):
            items = value.data.items() if value.kind == "object" else enumerate(value.data)
            pending += [((*path, key), child) for key, child in items]
    return found


def test_enumerated_exactly_when_the_sentinel_is_an_enum_error() -> None:
    enumerated = free = 0
    for schema, instance in pairs(700):
        validator = Draft202012Validator(schema)
        roles = string_roles(instance, schema, indent=None)
        assert roles == string_roles(instance, schema, indent=2)
        for path, role in roles.items():
            truth = is_enumerated(validator, instance, path)
            assert role == (GrammarRole.ENUM_VALUE if truth else GrammarRole.FREE_TEXT), json.dumps(
                [schema, instance, path]
            )
            enumerated, free = enumerated + truth, free + (not truth)
    assert enumerated > 700
    assert free > 300


def test_validity_agrees_with_the_validator_on_valid_and_spoilt_instances() -> None:
    rng = random.Random(7)
    verdicts = {True: 0, False: 0}
    for schema, instance in pairs(300):
        validator = Draft202012Validator(schema)
        path, _ = rng.choice(list(strings(instance)))
        for candidate in (instance, replaced(instance, path, rng.choice([*WORDS, SENTINEL]))):
            root = scan(json.dumps(candidate)).root
            assert root is not None
            expected = validator.is_valid(candidate)
            assert Validity().holds(RoleAssigner(schema)._schema.root, root) == expected, (schema, candidate)
            verdicts[expected] += 1
    assert min(verdicts.values()) > 50


@pytest.mark.parametrize("schema_of_instance", list(pairs(60)))
def test_every_key_span_decodes_to_a_key_and_every_other_class_to_its_values(
    schema_of_instance: tuple[Any, Any],
) -> None:
    schema, instance = schema_of_instance
    text = json.dumps(instance, indent=1)
    runs: list[tuple[GrammarRole, str]] = []
    for role, character in zip(assign_grammar_roles(text, schema), text, strict=True):
        if runs and runs[-1][0] == role:
            runs[-1] = (role, runs[-1][1] + character)
        else:
            runs.append((role, character))
    of = {wanted: [content for role, content in runs if role == wanted] for wanted in GrammarRole}
    assert sorted(json.loads(f'"{name}"') for name in of[GrammarRole.KEY]) == sorted(keys(instance))
    values = of[GrammarRole.ENUM_VALUE] + of[GrammarRole.FREE_TEXT]
    assert sorted(json.loads(f'"{v}"') for v in values) == sorted(v for _, v in strings(instance) if v)
    assert all(isinstance(json.loads(number), int | float) for number in of[GrammarRole.NUMBER])
    assert set("".join(of[GrammarRole.STRUCTURAL])) <= set("{}[]:,null")
    assert set("".join(of[GrammarRole.WHITESPACE])) <= set(" \n")


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (name for name in value if name)
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(child)
