"""Result rows and a configuration that points into a temporary folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astudent.config import load_config
from astudent.evaluation.results import ResultRow
from astudent.settings import Config

ROOT = Path(__file__).resolve().parents[2]


def result(number: int, good: bool, **given: Any) -> ResultRow:
    known = '{"where":{"field":"price","operator":"gt","value":5}}'
    answer = known if good else '{"where":{"field":"price","operator":"lt","value":5}}'
    fields: dict[str, Any] = {
        "query_id": f"q{number}",
        "schema_id": f"s{number % 5}",
        "domain_id": "shop",
        "split": "test_unseen",
        "names": "seen" if number % 2 else "new",
        "language": "fr" if number % 3 else "en",
        "kind": "plain",
        "decoding": "free",
        "query": f"orders above 5 ({number})",
        "schema_json": {"type": "object"},
        "ast_json": {"where": {"field": "price", "operator": "gt", "value": 5}},
        "prompt_text": "prompt",
        "text": answer,
        "student_canonical": answer,
        "teacher_canonical": known,
        "parsed": True,
        "parse_error": None,
        "schema_valid": True,
        "schema_errors": [],
        "exact_match": good,
        "canonical_equal": good,
        "equivalent": good,
        "equivalent_by": "canonical" if good else None,
        "facts_shared": 3 if good else 1,
        "facts_answered": 3,
        "facts_known": 3,
        "field_f1": 1.0 if good else 1 / 3,
        "teacher_verdict": "accept" if good else "reject",
        "teacher_reason": "equal" if good else "another operator",
        "semantic_pass": good,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "finish": "stop",
        "latency_seconds": 0.2,
    }
    return ResultRow(**{**fields, **given})


@pytest.fixture
def make_result() -> Callable[..., ResultRow]:
    return result


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
