"""Mappings and records for the tests of importing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astudent.importing.lookups import Lookups
from astudent.importing.mapping import Mapping
from astudent.importing.rows import Rejection, RowMaker
from astudent.records import DatasetRow

SCHEMA = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"], "additionalProperties": False}
SMALL: dict[str, Any] = {
    "name": "small",
    "request": {"at": "/row/text"},
    "schema": {"constant": SCHEMA},
    "answer": {"at": "/row/answer"},
}
Made = list[DatasetRow | Rejection]


@pytest.fixture
def make() -> Callable[..., Made]:
    """The rows of some records by a small mapping of which parts may be given anew."""

    def made(*records: dict[str, Any], **changed: Any) -> Made:
        mapping = Mapping.model_validate({**SMALL, **changed})
        maker = RowMaker(mapping, Lookups({}, {}), "0" * 64)
        return [row for record in records for row in maker.rows(record)]

    return made


@pytest.fixture
def small_mapping(tmp_path: Path) -> Path:
    """The small mapping as a file."""
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    return path
