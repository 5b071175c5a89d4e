"""Which prompts an export is verified with: those of the configuration's splits that have room."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from astudent.config import load_config
from astudent.export.held_out import TAILS, held_out
from astudent.jsonl import write_atomic
from astudent.records import DatasetRow
from astudent.settings import Config

CONFIG = Path(__file__).parents[2] / "config/support.json"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
MADE_BY = {"provider": "embedded", "model": "embedded"}


def a_row(number: int, split: str = "test_seen") -> dict[str, Any]:
    told = {"query_id": f"q{number}", "schema_id": f"s{number % 3}", "domain_id": "shop", "language": "en"}
    told |= {"schema_json": SCHEMA, "query": f"the number {number}", "ast_json": {"n": number}, "is_valid": True}
    return told | {"split": split, "names": "seen", "source": "generated", "made_by": MADE_BY}


def config_on(folder: Path, rows: Iterable[dict[str, Any]]) -> Config:
    """The support task's, which evaluates on test_seen alone."""
    write_atomic(folder / "d.jsonl", [DatasetRow.model_validate(row) for row in rows])
    return load_config(CONFIG, {"evaluation.dataset": str(folder / "d.jsonl")})


def test_the_configuration_s_splits_are_asked(tmp_path: Path):
    found = held_out(config_on(tmp_path, map(a_row, range(40))), 30, None, 10_000, len)
    assert len(found.prompts) == 30 and found.shortage(30) is None and found.remarks(30) == []
    assert {"one token", "long", "request", *TAILS} == {prompt.kind for prompt in found.prompts}
    plain = [prompt for prompt in found.prompts if prompt.kind == "request"]
    assert all(prompt.row is not None for prompt in plain)
    assert all(prompt.row is None for prompt in found.prompts if prompt.kind != "request")
    assert "e\u0301" in next(prompt.content for prompt in found.prompts if prompt.kind == "decomposed")


def test_a_plain_request_knows_its_answer(tmp_path: Path):
    found = held_out(config_on(tmp_path, map(a_row, range(4))), 4, None, 10_000, len)
    prompt = found.prompts[2]
    assert prompt.row is not None
    assert prompt.judge(f'{{ "n": {prompt.row.ast_json["n"]} }}') is True
    assert prompt.judge('{"n": 99}') is prompt.judge("no JSON") is False
    assert found.prompts[0].judge("{}") is None


def test_a_small_data_set_is_said_and_is_no_shortage(tmp_path: Path):
    found = held_out(config_on(tmp_path, map(a_row, range(4))), 300, None, 10_000, len)
    assert len(found.prompts) == 6 and found.shortage(300) is None
    assert found.remarks(300) == ["the data set has only 4 requests: 6 prompts of 300"]


def test_requests_without_room_are_a_shortage(tmp_path: Path):
    rows = [a_row(n) | {"query": "x" * 5000} if n % 2 else a_row(n) for n in range(40)]
    config = config_on(tmp_path, rows)
    assert held_out(config, 12, None, 3000, len).shortage(12) is None
    found = held_out(config, 30, None, 3000, len)
    assert found.shortage(30) == "22 of 30 prompts fit into the context"
    assert all(len(prompt.content) <= 3000 for prompt in found.prompts)


@pytest.mark.parametrize("count", [1, 9])
def test_without_a_data_set_requests_are_made_up_and_that_is_said(tmp_path: Path, count: int):
    config = load_config(CONFIG, {"evaluation.dataset": str(tmp_path / "none.jsonl")})
    found = held_out(config, count, 8, 10_000, len)
    assert len(found.prompts) == count and all(prompt.judge("{}") is None for prompt in found.prompts)
    assert "made up" in found.remarks(count)[0]
