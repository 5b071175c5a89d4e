"""A small shop's schema, and rows made by hand."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from astudent.config import load_config
from astudent.evaluation.judging import execution_judge, result_row
from astudent.evaluation.metrics import Scorer
from astudent.evaluation.results import AnswerRow, ResultRow
from astudent.evaluation.samples import Sample
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
def make_rows(row: Callable[..., DatasetRow]) -> Callable[..., list[ResultRow]]:
    """So many right answers, measured and judged by execution; or one for each of the given latencies (s)."""

    def make(count: int = 0, latency_seconds: Sequence[float] = ()) -> list[ResultRow]:
        return [right_answer(row(n), seconds) for n, seconds in enumerate(latency_seconds or [0.1] * count)]

    return make


def right_answer(row: DatasetRow, seconds: float) -> ResultRow:
    """The result row of the known answer."""
    sample, scorer = Sample(row.query_id, "plain", row), Scorer(row.schema_json)
    answer = AnswerRow(
        query_id=row.query_id,
        kind="plain",
        prompt_text="prompt",
        text=scorer.canonical(row.ast_json),
        prompt_tokens=9,
        completion_tokens=4,
        finish="stop",
        latency_seconds=seconds,
    )
    score = scorer.score_text(answer.text, row.ast_json)
    return result_row(sample, answer, score, execution_judge(sample, score), "free", scorer)


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
