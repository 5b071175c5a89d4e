"""Built schemas: accepted by jsonschema and llguidance, typed, different from each other."""

import json
import random
import re

import jsonschema
import llguidance
import pytest
from small_language import CATALOG, TEMPLATE, spec, whole_schema

from astudent.errors import RunError, UsageError
from astudent.language.sampling import sample_ast
from astudent.language.schema import build_schema, load_catalog, load_template, sample_operators
from astudent.language.serialise import serialise
from astudent.language.validation import validator_for
from astudent.language.vocabulary import read_vocabulary
from astudent.records import EnumValue, FieldSpec

KEYWORDS = {
    "$schema", "title", "x-labels", "type", "properties", "required", "additionalProperties", "$defs", "$ref", "anyOf",
    "oneOf", "const", "enum", "items", "minItems", "maxItems", "minimum", "maximum", "format",
}  # fmt: skip


def built(seed, low=4, high=7, **changes):
    return build_schema(spec(**changes), CATALOG, TEMPLATE, random.Random(seed), low, high)


def keywords(node):
    """Every keyword of a schema; the names below properties and $defs are none."""
    if isinstance(node, list):
        return set().union(*map(keywords, node))
    if not isinstance(node, dict):
        return set()
    found = set(node)
    for key, value in node.items():
        named = key in ("properties", "$defs")
        found |= (
            keywords(list(value.values()) if named else value) if key not in ("x-labels", "const", "enum") else set()
        )
    return found


def test_schemas_are_2020_12_and_use_the_agreed_keywords_only():
    for seed in range(8):
        schema, _ = built(seed)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert keywords(schema) <= KEYWORDS
        assert "{" not in json.dumps([*schema["$defs"], schema["title"]])
        assert not any('"{' in text for text in [json.dumps(schema)])  # no slot is left


def test_every_definition_is_used():
    for seed in range(60):
        schema, _ = built(seed)
        text = json.dumps(schema)
        assert [name for name in schema["$defs"] if f'"#/$defs/{name}"' not in text] == []


def test_llguidance_compiles_them_and_accepts_sampled_asts():
    tokenizer = llguidance.LLTokenizer("byte")
    compiler = llguidance.JsonCompiler(separators=(",", ":"))
    for seed in range(12):
        schema, _ = built(seed)
        grammar = compiler.compile(json.dumps(schema))
        for number in range(5):
            text = serialise(sample_ast(read_vocabulary(schema), random.Random(number)), schema)
            matcher = llguidance.LLMatcher(tokenizer, grammar)
            tokens = tokenizer.tokenize_str(text)
            assert matcher.get_error() == ""
            assert matcher.validate_tokens(tokens) == len(tokens), text


def test_each_field_keeps_an_operator_of_its_type():
    served = {operator.name: operator.types for operator in CATALOG}
    for seed in range(100):
        schema, names = built(seed)
        assert 4 <= len(names) <= 7
        for field in read_vocabulary(schema).fields.values():
            assert field.operators
            assert all(field.type in served[operator] and operator in names for operator in field.operators)


def test_schemas_of_one_spec_differ():
    texts = {json.dumps(built(seed)[0]) for seed in range(50)}
    parts = {tuple(built(seed)[0]["properties"]) for seed in range(50)}
    assert len(texts) > 45
    assert len(parts) > 5
    assert built(3) == built(3)


def test_labels_that_only_spell_the_name_are_left_out():
    fields = [
        FieldSpec(name="unit_price", type="number", label_en="unit price", label_fr="prix unitaire"),
        FieldSpec(
            name="kind",
            type="enum",
            label_en="sort",
            values=[EnumValue(value="a_b", label_en="a b"), EnumValue(value="c")],
        ),
    ]
    text = json.dumps(built(1, fields=fields)[0])
    for node in (
        {"const": "unit_price", "x-labels": {"fr": "prix unitaire"}},
        {"const": "kind", "x-labels": {"en": "sort"}},
        {"oneOf": [{"const": "a_b"}, {"const": "c"}]},
    ):
        assert json.dumps(node) in text


def test_a_definition_used_once_stands_where_it_is_used():
    for seed in range(20):
        schema, _ = built(seed)
        uses = re.findall(r'"#/\$defs/([^"]*)"', json.dumps(schema))
        assert set(uses) == set(schema["$defs"])
        assert all(uses.count(name) > 1 for name in uses)


@pytest.mark.parametrize("name", ["number", "text", "date", "flag", "integer", "group"])
def test_an_enum_field_may_be_named_like_a_shared_definition(name):
    values = [EnumValue(value="yes"), EnumValue(value="no"), EnumValue(value="both")]
    others = [
        FieldSpec(name=f"x{i}", type=kind) for i, kind in enumerate(("number", "integer", "string", "date", "boolean"))
    ]
    schema, _ = built(2, fields=[*others, FieldSpec(name=name, type="enum", values=values)])
    fields = read_vocabulary(schema).fields
    assert {fields[f"x{i}"].type for i in range(5)} == {"number", "integer", "string", "date", "boolean"}
    assert [value for value, _ in fields[name].values] == ["yes", "no", "both"]


def test_bad_specs_name_all_problems():
    twice = [FieldSpec(name="a", type="number"), FieldSpec(name="a", type="string"), FieldSpec(name="e", type="enum")]
    with pytest.raises(UsageError, match=r"field 'a' is there twice; enum field 'e' needs two"):
        built(1, fields=twice)
    with pytest.raises(UsageError, match="no fields"):
        built(1, fields=[])


def test_operators_that_cannot_serve_all_types_are_an_error():
    texts_only = [operator for operator in CATALOG if operator.name == "contains"]
    with pytest.raises(UsageError, match="no operator for fields of type number"):
        sample_operators(texts_only, {"string", "number"}, random.Random(1), 4, 7)
    separate = [operator for operator in CATALOG if operator.name in ("contains", "gt")]
    with pytest.raises(UsageError, match="1 operators cannot serve"):
        sample_operators(separate, {"string", "number"}, random.Random(1), 1, 1)


def test_broken_files_are_one_line_errors(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('[{"name": 3}]')
    with pytest.raises(RunError, match="operator catalogue"):
        load_catalog(broken)
    with pytest.raises(RunError, match="schema template"):
        load_template(broken)
    with pytest.raises(RunError, match="schema template"):
        load_template(tmp_path / "absent.json")


def test_phrasings_are_there_in_both_languages_for_every_type():
    for operator in CATALOG:
        slots = 2 if operator.value == "pair" else 1
        for kind in operator.types:
            for language in ("en", "fr"):
                phrases = operator.phrases(kind, language)
                assert len(phrases) >= 2
                assert all(p.count("{field}") == 1 and p.count("{value}") == slots for p in phrases)


def test_the_vocabulary_reads_back_the_spec():
    vocabulary = read_vocabulary(whole_schema())
    assert {name: field.type for name, field in vocabulary.fields.items()} == {
        "price": "number", "count": "integer", "name": "string", "day": "date", "open": "boolean", "state": "enum",
    }  # fmt: skip
    assert vocabulary.labels == {"en": "thing", "fr": "chose"}
    assert vocabulary.fields["price"].labels == {"en": "price", "fr": "price_fr"}
    assert vocabulary.functions == ("count", "sum", "avg", "min", "max")
    assert vocabulary.max_limit == 100
    assert set(vocabulary.groupable) == {"name", "open", "state"}


@pytest.mark.parametrize(
    "schema", [{}, [], {"properties": {"where": {"$ref": "#/$defs/x"}}}, {"properties": {"where": {}}}, 3]
)
def test_a_schema_of_something_else_is_a_usage_error(schema):
    with pytest.raises(UsageError, match="describes no query language"):
        read_vocabulary(schema)


def test_an_aggregate_without_numeric_fields_only_counts():
    fields = [FieldSpec(name="name", type="string"), FieldSpec(name="open", type="boolean")]
    for seed in range(20):
        schema, _ = built(seed, fields=fields)
        vocabulary = read_vocabulary(schema)
        assert vocabulary.functions in ((), ("count",))
        assert validator_for(schema).problems(sample_ast(vocabulary, random.Random(seed))) == []
