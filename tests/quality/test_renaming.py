"""Schemas and ASTs that are equal up to names, and some that are not."""

from typing import Any

import pytest

from astudent.language.canonical import canonical
from astudent.quality.renaming import Renaming

NUMBER, TEXT = {"type": "number"}, {"type": "string"}
QUERY: dict[str, Any] = {
    "properties": {
        "where": {"$ref": "#/$defs/condition"},
        "limit": {"type": "integer"},
    },
    "$defs": {
        "condition": {
            "properties": {
                "and": {"type": "array", "items": {"$ref": "#/$defs/condition"}},
                "field": {"enum": ["zebra", "apple", "order"]},
                "operator": {"enum": ["eq", "in"]},
            }
        }
    },
}


def closed(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": [next(iter(members))], "additionalProperties": False}


def shapes(schema: dict[str, Any], ast: Any) -> tuple[str, str]:
    renaming = Renaming(schema)
    return renaming.shape, renaming.canonical_text(canonical(ast))


@pytest.mark.parametrize(
    ("other", "ast", "equal"),
    [
        (closed(cost=NUMBER, label=TEXT) | {"title": "other"}, {"label": "x", "cost": 3}, True),
        (closed(cost=NUMBER, label=TEXT), {"label": "y", "cost": 3}, False),
        (closed(cost=NUMBER, label=NUMBER), {"label": "x", "cost": 3}, False),
        (closed(label=TEXT, cost=NUMBER), {"label": "x", "cost": 3}, False),  # another member is required
        (closed(cost=NUMBER | {"minimum": 1}, label=TEXT), {"label": "x", "cost": 3}, False),
    ],
)
def test_objects(other: dict[str, Any], ast: Any, equal: bool):
    one = shapes(closed(price=NUMBER, name=TEXT), {"price": 3, "name": "x"})
    assert (shapes(other, ast) == one) is equal


def test_the_order_of_properties_does_not_matter_where_their_schemas_differ():
    other = closed(cost=NUMBER, label=TEXT)
    turned = other | {"properties": dict(reversed(other["properties"].items()))}
    assert shapes(turned, {"cost": 3, "label": "x"}) == shapes(other, {"cost": 3, "label": "x"})


def test_conditions_are_put_in_order_without_their_names():
    renamed: Any = {"zebra": "a1", "apple": "z9", "order": "m5"}
    other = {**QUERY, "$defs": {"condition": {"properties": {**QUERY["$defs"]["condition"]["properties"]}}}}
    other["$defs"]["condition"]["properties"]["field"] = {"enum": ["a1", "z9", "m5"]}
    parts = [
        {"field": name, "operator": "eq", "value": value} for name, value in (("zebra", 1), ("apple", 2), ("order", 3))
    ]
    others = [part | {"field": renamed[part["field"]]} for part in parts]
    one = shapes(QUERY, {"where": {"and": parts}, "limit": 3})
    assert one == shapes(other, {"limit": 3, "where": {"and": others[::-1]}})
    swapped = [others[0] | {"value": 2}, others[1] | {"value": 1}, others[2]]
    assert one != shapes(other, {"where": {"and": swapped}, "limit": 3})
