"""A small shop's schema, and rows made by hand."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astudent.config import load_config
from astudent.language.schema import build_schema, load_catalog, load_template
from astudent.records import DatasetRow, DomainSpec, EnumValue, FieldSpec, MadeBy
from astudent.settings import Config

ROOT = Path(__file__).resolve().parents[2]
MADE_BY = MadeBy(provider="embedded", model="embedded")

OPEN = {"where": {"field": "status", "operator": "eq", "value": "open"}}
COUNT = {"aggregate": {"function": "count"}}


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    """Orders with a status, a price, a city and a date; every operator of the catalogue."""
    fields = [
        FieldSpec(
            name="status",
            type="enum",
            label_fr="statut",
            values=[EnumValue(value="open", label_fr="ouvert"), EnumValue(value="on_hold", label_fr="en attente")],
        ),
        FieldSpec(name="price", type="number", label_fr="prix"),
        FieldSpec(name="city", type="string", label_fr="ville"),
        FieldSpec(name="paid", type="boolean", label_fr="payé"),
        FieldSpec(name="sent_on", type="date", label_fr="date d'envoi"),
    ]
    spec = DomainSpec(
        schema_id="shop-00",
        domain_id="shop",
        domain="a shop",
        variant=0,
        entity_en="order",
        entity_fr="commande",
        fields=fields,
        examples=[],
        made_by=MADE_BY,
    )
    catalog = load_catalog(ROOT / "data/operator_catalog.json")
    template = load_template(ROOT / "data/base_schema_template.json")
    drawn = (
        build_schema(spec, catalog, template, random.Random(seed), len(catalog), len(catalog)) for seed in range(99)
    )
    return next(built for built, _ in drawn if {"sort", "limit", "group_by", "aggregate"} <= built["properties"].keys())


@pytest.fixture
def row(schema: dict[str, Any]) -> Callable[..., DatasetRow]:
    """Makes one dataset row; any field may be given."""

    def make(number: int, **given: Any) -> DatasetRow:
        fields: dict[str, Any] = {
            "query_id": f"q{number}",
            "schema_id": "shop-00",
            "domain_id": "shop",
            "language": "en",
            "schema_json": schema,
            "query": f"open orders, please ({number})",
            "ast_json": OPEN,
            "is_valid": True,
            "split": "test_unseen",
            "names": "seen",
            "source": "generated",
            "made_by": MADE_BY,
        }
        return DatasetRow(**{**fields, **given})

    return make


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The embedded configuration with every output below a temporary folder."""
    shipped = load_config(ROOT / "config/embedded.json")
    moved = {
        f"{section}.{key}": value.replace("outputs", str(tmp_path), 1)
        for section, keys in shipped.model_dump().items()
        for key, value in keys.items()
        if isinstance(value, str) and value.startswith("outputs/")
    }
    return load_config(ROOT / "config/embedded.json", moved)
