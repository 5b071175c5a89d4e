"""The rows of the files: nothing unknown, nothing changed, nothing lost on the way through JSON."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from astudent.records import CorpusRow, DatasetRow, DomainSpec, FieldSpec, MadeBy, QueryRow, Record, SchemaRow

MADE_BY = {"provider": "embedded", "model": "embedded", "digest": None, "prompt_hash": None, "seed": 3}
AST = {"where": {"field": "price", "operator": "gt", "value": 2.5}, "limit": 3}
ROWS: list[tuple[type[Record], dict[str, Any]]] = [
    (QueryRow, {"query_id": "q", "schema_id": "s", "language": "fr", "query": "é", "source": "topup"}),
    (
        SchemaRow,
        {
            "schema_id": "s",
            "domain_id": "d",
            "variant": 0,
            "operators": ["eq"],
            "schema_json": {"$defs": {}},
            "schema_hash": "h",
            "spec_hash": "h",
        },
    ),
    (
        DatasetRow,
        {
            "query_id": "q",
            "schema_id": "s",
            "domain_id": "d",
            "language": "en",
            "schema_json": {},
            "query": "x",
            "ast_json": AST,
            "is_valid": True,
            "split": "train",
            "names": "seen",
            "source": "example",
        },
    ),
    (
        CorpusRow,
        {
            "query_id": "q",
            "schema_id": "s",
            "language": "en",
            "schema_json": {},
            "query": "x",
            "ast_json": AST,
            "kind": "plain",
            "prompt": "p",
            "completion": "{}",
        },
    ),
]


@pytest.mark.parametrize(("model", "values"), ROWS)
def test_a_row_survives_json(model: type[Record], values: dict[str, Any]) -> None:
    row = model.model_validate({**values, "made_by": MADE_BY})
    assert model.model_validate_json(row.model_dump_json()) == row
    assert row.model_dump()["made_by"] == MADE_BY


@pytest.mark.parametrize(("model", "values"), ROWS)
def test_an_unknown_field_is_refused(model: type[Record], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        model.model_validate({**values, "made_by": MADE_BY, "extra": 1})


def test_rows_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MadeBy.model_validate(MADE_BY).seed = 4  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", ["", "Price", "1st", "a-b", "a" * 41, "prix é", "$ref"])
def test_field_names_are_plain(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        FieldSpec.model_validate({"name": name, "type": "number"})


def test_a_spec_holds_its_fields_and_examples() -> None:
    spec = DomainSpec.model_validate(
        {
            "schema_id": "s-00",
            "domain_id": "s",
            "domain": "shop",
            "variant": 0,
            "entity_en": "order",
            "entity_fr": "commande",
            "made_by": MADE_BY,
            "fields": [{"name": "state", "type": "enum", "values": [{"value": "sent", "label_fr": "envoyée"}]}],
            "examples": [{"query": "sent orders", "language": "en", "ast_json": AST}],
        }
    )
    assert spec.fields[0].values[0].label_fr == "envoyée"


def test_importing_the_records_warns_of_nothing() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", "import astudent.records"], check=True)
