"""The short notation of schemas loses nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astudent.errors import RunError
from astudent.language.notation import DIALECT, parse_compact, render_compact

WORDS = st.sampled_from(
    ["price", "date", "number", "a b", 'q"uo`te', "é_t", "1x", "x-y", "true", "", "a|b", "string 1", "new\nline"]
)
LABELS = st.sampled_from(
    ["prix unitaire", "date", "date d'envoi", "integer 1", "l'été", "x/y", "a=b", "", "number", "p-1"]
)
VALUES = st.one_of(WORDS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
BOUNDS = st.one_of(st.integers(-9, 99), st.sampled_from([1.5, -2.25, 1e30]))


def keywords(children):
    return st.one_of(
        st.builds(lambda w: {"$ref": "#/$defs/" + w}, WORDS),
        st.builds(lambda v, x: {"const": v} | x, VALUES, labels()),
        st.builds(lambda v: {"enum": v}, st.lists(VALUES, max_size=4)),
        st.builds(lambda v: {"enum": v}, st.lists(WORDS, min_size=1, max_size=4)),
        st.builds(lambda k, v: {k: v}, st.sampled_from(["anyOf", "oneOf", "allOf"]), st.lists(children, max_size=4)),
        st.builds(closed_object, st.dictionaries(WORDS, children, max_size=4), st.sets(WORDS)),
        st.builds(lambda v, x: {"type": "array", "items": v} | x, children, bounds("minItems", "maxItems")),
        st.builds(
            lambda v: {"type": "array", "prefixItems": v, "items": False, "minItems": len(v)},
            st.lists(children, max_size=3),
        ),
    )


def labels():
    return st.one_of(
        st.just({}), st.builds(lambda v: {"x-labels": v}, st.dictionaries(st.sampled_from(["en", "fr", "de"]), LABELS))
    )


def bounds(low, high):
    return st.fixed_dictionaries({}, optional={low: BOUNDS, high: BOUNDS})


def closed_object(properties, required):
    node = {"type": "object", "properties": properties, "additionalProperties": False}
    needed = [key for key in properties if key in required]
    return node | ({"required": needed} if needed else {})


LEAVES = st.one_of(
    st.sampled_from([True, False, {}, {"type": "string", "format": "date"}, {"type": "string", "pattern": "`"}]),
    st.builds(
        lambda t, x: {"type": t} | x,
        st.sampled_from(["number", "integer", "string", "boolean", "null"]),
        bounds("minimum", "maximum"),
    ),
)
NODES = st.recursive(LEAVES, keywords, max_leaves=12)


@given(NODES, st.dictionaries(WORDS, NODES, max_size=3), st.one_of(st.none(), WORDS), labels(), st.booleans())
def test_every_schema_round_trips(body, definitions, title, names, dialect):
    schema = body
    if isinstance(body, dict):
        schema = (
            body | ({"$schema": DIALECT} if dialect else {}) | ({"title": title} if title is not None else {}) | names
        )
        schema = schema | ({"$defs": definitions} if definitions else {})
    again = parse_compact(render_compact(schema))
    assert json.dumps(again, sort_keys=True) == json.dumps(schema, sort_keys=True)


def test_the_short_form_reads_as_documented():
    schema = {
        "$schema": DIALECT,
        "title": "orders",
        "x-labels": {"fr": "commandes"},
        "type": "object",
        "properties": {"where": {"$ref": "#/$defs/test"}, "limit": {"type": "integer", "minimum": 1, "maximum": 100}},
        "required": ["where"],
        "additionalProperties": False,
        "$defs": {
            "test": closed_object(
                {
                    "field": {
                        "oneOf": [
                            {"const": "price", "x-labels": {"en": "unit price", "fr": "prix"}},
                            {"const": "stock"},
                        ]
                    },
                    "operator": {"enum": ["eq", "gt"]},
                    "value": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                },
                {"field", "operator", "value"},
            )
        },
    }
    assert render_compact(schema) == (
        "commandes=orders\n{where:@test,limit?:integer 1..100}\n"
        "test={field:(unit price/prix=price|stock),operator:eq|gt,value:[number]2..2}"
    )


@pytest.mark.parametrize("text", ["orders\n{a:", "orders\n{a:b", "orders\n[number]x", "orders\n@@", "x=\n{}"])
def test_broken_notation_names_the_place(text):
    with pytest.raises(RunError, match="character"):
        parse_compact(text)
