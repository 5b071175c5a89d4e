"""Roles by schema path: one example for each keyword, each fault of a schema, and the bounds."""

import subprocess
import sys
from typing import Any

import pytest

from astudent.roles import GrammarRole, LimitError, Limits, RoleAssigner, SchemaError, assign_grammar_roles
from astudent.roles.anatomy import anatomy
from astudent.roles.nodes import Schema
from astudent.roles.scan import scan
from astudent.roles.validity import Validity
from astudent.roles.walk import Walk

E, F, B, N = GrammarRole.ENUM_VALUE, GrammarRole.FREE_TEXT, GrammarRole.BOOLEAN, GrammarRole.NUMBER
ENUM = {"enum": ["red", "blue"]}
TEXT = {"type": "string"}


def letters(text: str, schema: Any = True, lenient: bool = False) -> str:
    return anatomy(assign_grammar_roles(text, schema, lenient))


def content_role(text: str, content: str, schema: Any) -> GrammarRole:
    """The one role of the only place where `content` stands in `text`."""
    assert text.count(content) == 1
    start = text.index(content)
    found = set(assign_grammar_roles(text, schema)[start : start + len(content)])
    assert len(found) == 1
    return found.pop()


def at(name: str, schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}}


@pytest.mark.parametrize(
    ("schema", "text", "content", "role"),
    [
        pytest.param(at("c", ENUM), '{"c":"red"}', "red", E, id="enum"),
        pytest.param(at("c", ENUM), '{"c":"green"}', "green", F, id="outside its enum"),
        pytest.param(at("c", ENUM), '{"d":"red"}', "red", F, id="path, not the value"),
        pytest.param(at("c", ENUM), '{"d":{"c":"red"}}', "red", F, id="path, not the key's name"),
        pytest.param(at("c", {"const": "red"}), '{"c":"red"}', "red", E, id="const"),
        pytest.param(at("c", {"enum": [1, 2]}), '{"c":1}', "1", N, id="enumerated number"),
        pytest.param(at("c", {"enum": ["True", "False"]}), '{"c":"True"}', "True", B, id="truth values"),
        pytest.param(
            at("c", {"oneOf": [{"const": "true"}, {"const": "false"}]}), '{"c":"true"}', "true", B, id="truth"
        ),
        pytest.param(at("c", {"enum": ["True", "False", "Maybe"]}), '{"c":"True"}', "True", E, id="not only truth"),
        pytest.param(at("o", at("c", ENUM)), '{"o":{"c":"red"}}', "red", E, id="nested"),
        pytest.param({"items": ENUM}, '["red"]', "red", E, id="items"),
        pytest.param({"prefixItems": [TEXT, ENUM]}, '["x","red"]', "red", E, id="prefixItems"),
        pytest.param({"prefixItems": [ENUM], "items": TEXT}, '["blue","red"]', "red", F, id="items after prefixItems"),
        pytest.param({"items": [ENUM], "additionalItems": TEXT}, '["red","x"]', "red", E, id="items as a list"),
        pytest.param({"items": [TEXT], "additionalItems": ENUM}, '["x","red"]', "red", E, id="additionalItems"),
        pytest.param({"patternProperties": {"^c": ENUM}}, '{"cx":"red"}', "red", E, id="patternProperties"),
        pytest.param({"patternProperties": {"^c": ENUM}}, '{"xc":"red"}', "red", F, id="patternProperties, other name"),
        pytest.param({"patternProperties": {"^(?!x)": ENUM}}, '{"c":"red"}', "red", E, id="pattern with look-ahead"),
        pytest.param({"additionalProperties": ENUM}, '{"c":"red"}', "red", E, id="additionalProperties"),
        pytest.param(
            {"properties": {"c": {}}, "additionalProperties": ENUM}, '{"c":"red"}', "red", F, id="not additional"
        ),
        pytest.param({"$ref": "#/$defs/c", "$defs": {"c": ENUM}}, '"red"', "red", E, id="$ref"),
        pytest.param({"$ref": "#/$defs/a~1b%25~0", "$defs": {"a/b%~": ENUM}}, '"red"', "red", E, id="escaped pointer"),
        pytest.param({"$ref": "#c", "$defs": {"x": {"$anchor": "c", **ENUM}}}, '"red"', "red", E, id="$anchor"),
        pytest.param(
            {"$id": "https://e.org/s", "$ref": "t", "$defs": {"x": {"$id": "t", **ENUM}}}, '"red"', "red", E, id="$id"
        ),
        pytest.param(
            {"$id": "https://e.org/s", "$ref": "t#/$defs/y", "$defs": {"x": {"$id": "t", "$defs": {"y": ENUM}}}},
            '"red"',
            "red",
            E,
            id="pointer inside an $id",
        ),
        pytest.param(
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "$ref": "#/definitions/c",
                "enum": ["red"],
                "definitions": {"c": TEXT},
            },
            '"red"',
            "red",
            F,
            id="draft 7: $ref hides its siblings",
        ),
        pytest.param(
            {"$ref": "#/$defs/c", "enum": ["red"], "$defs": {"c": TEXT}}, '"red"', "red", E, id="$ref with sibling"
        ),
        pytest.param({"anyOf": [ENUM, {"type": "number"}]}, '"red"', "red", E, id="anyOf"),
        pytest.param({"anyOf": [ENUM, TEXT]}, '"red"', "red", F, id="anyOf that leaves any string free"),
        pytest.param({"anyOf": [ENUM, {"enum": ["red", 3]}]}, '"red"', "red", E, id="anyOf, both list it"),
        pytest.param({"oneOf": [{"const": "red"}, {"const": "blue"}]}, '"red"', "red", E, id="oneOf of consts"),
        pytest.param({"allOf": [TEXT, ENUM]}, '"red"', "red", E, id="allOf"),
        pytest.param({"not": {"enum": ["red"]}}, '"blue"', "blue", F, id="not lists nothing"),
        pytest.param({"if": TEXT, "then": ENUM, "else": {}}, '"red"', "red", E, id="then"),
        pytest.param({"if": {"type": "number"}, "else": ENUM}, '"red"', "red", E, id="else"),
        pytest.param({"if": {"type": "number"}, "then": ENUM}, '"red"', "red", F, id="if that fails"),
        pytest.param({"dependentSchemas": {"a": at("c", ENUM)}}, '{"a":1,"c":"red"}', "red", E, id="dependentSchemas"),
        pytest.param(
            {"dependentSchemas": {"a": at("c", ENUM)}}, '{"c":"red"}', "red", F, id="dependentSchemas, not due"
        ),
        pytest.param({"dependencies": {"a": at("c", ENUM)}}, '{"a":1,"c":"red"}', "red", E, id="dependencies"),
        pytest.param(
            {"properties": {"a": {}}, "unevaluatedProperties": ENUM}, '{"a":"x","c":"red"}', "red", E, id="unevaluated"
        ),
        pytest.param(
            {"allOf": [at("c", {})], "unevaluatedProperties": ENUM}, '{"c":"red"}', "red", F, id="evaluated in allOf"
        ),
        pytest.param({"prefixItems": [{}], "unevaluatedItems": ENUM}, '["x","red"]', "red", E, id="unevaluatedItems"),
        pytest.param({"enum": [{"c": "red"}]}, '{"c":"red"}', "red", F, id="inside an enumerated object"),
        pytest.param(at('a\n"é', ENUM), '{"a\\n\\"\\u00e9":"red"}', "red", E, id="escaped key"),
        pytest.param(at("c", {"enum": ["é\n"]}), '{"c":"\\u00e9\\n"}', "\\u00e9\\n", E, id="escaped value"),
        pytest.param(at("c", ENUM), '{"c":"x","c":"red"}', "red", E, id="repeated name, last"),
        pytest.param(at("c", ENUM), '{"c":"red","c":"x"}', "red", E, id="repeated name, first"),
        pytest.param(True, '"red"', "red", F, id="true"),
        pytest.param(False, '"red"', "red", F, id="false"),
        pytest.param({}, '"red"', "red", F, id="empty"),
    ],
)
def test_keyword(schema: Any, text: str, content: str, role: GrammarRole) -> None:
    assert content_role(text, content, schema) == role


def test_null_is_structural_and_numbers_never_enumerated() -> None:
    assert letters("[null,1,true]", {"items": {"enum": [None, 1, True]}}) == "sssss" + "sNsBBBBs"


KINDS = {
    "anyOf": [
        {"properties": {"kind": {"const": "a"}, "x": ENUM, "y": TEXT}, "required": ["kind"]},
        {"properties": {"kind": {"const": "b"}, "x": TEXT, "y": ENUM}, "required": ["kind"]},
    ]
}


def test_anyof_follows_the_branch_that_validates() -> None:
    assert letters('{"kind":"a","x":"red","y":"red"}', KINDS) == "sqKKKKqsqEqsqKqsqEEEqsqKqsqFFFqs"
    assert letters('{"kind":"b","x":"red","y":"red"}', KINDS) == "sqKKKKqsqEqsqKqsqFFFqsqKqsqEEEqs"


def test_when_no_branch_validates_the_nearest_one_counts() -> None:
    assert content_role('{"kind":"c","x":"red","y":"green"}', "red", KINDS) == E
    assert content_role('{"kind":"c","x":"green","y":"red"}', "red", KINDS) == E
    assert content_role('{"kind":"a","x":3,"y":"red"}', "red", KINDS) == F  # kind tells it, whatever else is wrong


def test_several_valid_branches_enumerate_only_what_all_of_them_do() -> None:
    schema = {"anyOf": [{"properties": {"x": ENUM, "y": ENUM}}, {"properties": {"x": ENUM}}]}
    assert letters('{"x":"red","y":"red"}', schema) == "sqKqsqEEEqsqKqsqFFFqs"


def test_a_branch_is_told_apart_by_what_lies_below_it() -> None:
    schema = {
        "oneOf": [
            {"properties": {"c": ENUM, "deep": {"items": {"type": "number"}}}},
            {"properties": {"c": TEXT, "deep": {"items": {"type": "string"}}}},
        ]
    }
    assert content_role('{"c":"red","deep":[1]}', "red", schema) == E
    assert content_role('{"c":"red","deep":["x"]}', "red", schema) == F


TREE = {
    "$ref": "#/$defs/tree",
    "$defs": {
        "tree": {"anyOf": [{"$ref": "#/$defs/leaf"}, {"$ref": "#/$defs/fork"}]},
        "leaf": {"properties": {"c": ENUM}, "required": ["c"]},
        "fork": {"properties": {"all": {"items": {"$ref": "#/$defs/tree"}}}, "required": ["all"]},
    },
}


def test_recursive_schema() -> None:
    assert content_role('{"all":[{"c":"blue"},{"all":[{"c":"red"}]}]}', "red", TREE) == E


def test_recursive_schema_at_great_depth() -> None:
    depth = 5_000
    text = '{"all":[' * depth + '{"c":"red"}' + "]}" * depth
    assert content_role(text, "red", TREE) == E


def test_deeply_nested_schema() -> None:
    schema: dict[str, Any] = ENUM
    for _ in range(3_000):
        schema = {"allOf": [{"anyOf": [{"type": "null"}, schema]}]}
    assert content_role('"red"', "red", schema) == E


def test_work_grows_linearly_with_the_text() -> None:
    def steps(schema: Any, text: str) -> int:
        scanned, validity = scan(text), Validity()
        assert scanned.root is not None
        Walk(scanned.paint, validity).colour([(scanned.root, Schema(schema).root)])
        return validity.steps

    ambiguous = {  # both branches may hold at every level: only what is below tells
        "anyOf": [
            {"properties": {"a": {"$ref": "#"}, "c": ENUM}},
            {"properties": {"a": {"$ref": "#"}, "c": {"enum": ["red", "green"]}}},
            {"enum": ["x"]},
        ]
    }
    for schema, opening in ((TREE, '{"all":['), (ambiguous, '{"a":')):
        closing = "]}" if "[" in opening else "}"
        once, twice = (steps(schema, opening * depth + '{"c":"red"}' + closing * depth) for depth in (500, 1_000))
        assert twice < 2.1 * once


def test_many_valid_branches_at_once_stay_bounded() -> None:
    schema = {"allOf": [{"anyOf": [at("x", {"enum": ["red", i]}), at("x", {"enum": ["red", -i]})]} for i in range(40)]}
    assert len(assign_grammar_roles('{"x":"red"}', schema)) == 11


def test_the_work_for_one_text_is_bounded() -> None:
    with pytest.raises(LimitError, match="more than 50 steps"):
        RoleAssigner(TREE, Limits(steps=50)).roles('{"all":[' * 30 + '{"c":"red"}' + "]}" * 30)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "https://example.org/other.json"}, "points outside the schema"),
        ({"$ref": "file:///etc/passwd"}, "points outside the schema"),
        ({"$ref": "#/$defs/none"}, "there is no '\\$defs'"),
        ({"$ref": "#none"}, "no anchor 'none'"),
        ({"$ref": 3}, "must be a string"),
        ({"properties": []}, "properties must be an object"),
        ({"anyOf": {}}, "anyOf must be a list"),
        ({"enum": "red"}, "enum must be a list"),
        ({"type": "text"}, "type must be one of"),
        ({"required": "c"}, "required must be a list of names"),
        ({"pattern": "["}, "cannot be read"),
        ({"items": 3}, "must be an object, true or false"),
        ({"minimum": "3"}, "minimum must be a number"),
    ],
)
def test_fault_of_the_schema_is_named_with_its_place(schema: Any, message: str) -> None:
    for text in ('{"a":[1]}', '[["x"]]'):
        try:
            assign_grammar_roles(text, {"anyOf": [{"properties": {"a": schema}, "items": schema}, {"type": "null"}]})
        except SchemaError as error:
            assert "#/anyOf/0/" in error.message
            with pytest.raises(SchemaError, match=message):
                raise
            return
    pytest.fail("no text came to the fault")


def test_fault_that_no_text_comes_to_does_not_matter() -> None:
    assert letters("[1]", {"properties": {"a": {"$ref": "https://example.org/other.json"}}}) == "sNs"


@pytest.mark.parametrize(
    "loop",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}]},
        {"anyOf": [{"$ref": "#", "minLength": 1}, {"$ref": "#", "minLength": 2}]},
        {"not": {"$ref": "#"}},
    ],
)
def test_schema_that_refers_to_itself_in_place_ends(loop: Any) -> None:
    """Such a schema has no meaning; it must not hang, nor overflow a stack."""
    assert letters('"red"', loop) == "qFFFq"
    assert letters('"red"', {"anyOf": [loop, ENUM]}) in ("qFFFq", "qEEEq")


@pytest.mark.parametrize("schema", [None, "object", 3, []])
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    with pytest.raises(SchemaError, match="a schema must be an object, true or false"):
        assign_grammar_roles('"red"', schema)


def test_a_schema_that_is_changed_in_place_is_another_schema() -> None:
    schema = {"enum": ["red"]}
    assert letters('"red"', schema) == "qEEEq"
    schema["enum"][0] = "blue"
    assert letters('"red"', schema) == "qFFFq"


def test_hostile_pattern_is_stopped() -> None:
    text = f'"{"a" * 5_000}!"'
    assert (
        letters(text, {"anyOf": [{"pattern": "^(a+)+$"}, {"enum": ["x"]}, {"minLength": 1}]})[1] == "F"
    )  # linear engine
    with pytest.raises(LimitError, match="needs more than"):
        letters(text, {"anyOf": [{"pattern": "^(?=a)((a|a)+)+$"}, {"type": "number"}, {"minLength": 1}]})


def test_imports_no_torch() -> None:
    code = (
        "import sys, astudent.roles; sys.exit(any(n in sys.modules for n in ('torch', 'transformers', 'jsonschema')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
