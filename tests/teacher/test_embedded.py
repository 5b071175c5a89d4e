"""The teacher without a model: exact resumption, honest refusals, and the mix of requests that the data must have."""

import asyncio
import json
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from astudent.config import load_config
from astudent.jsonl import write_atomic
from astudent.language.mutations import mutate
from astudent.language.validation import validator_for
from astudent.records import DomainPrompt, MadeBy, QueryRow, SchemaRow
from astudent.stages.schemas import build_rows
from astudent.teacher.embedded import EmbeddedTeacher
from astudent.teacher.lexicon import load_lexicon
from astudent.teacher.protocol import Teacher

ROOT = Path(__file__).parents[2]


done = asyncio.run


@cache
def config_of(**settings: Any) -> Any:
    files = {
        "operator_catalog": ROOT / "data/operator_catalog.json",
        "base_schema_template": ROOT / "data/base_schema_template.json",
    }
    section = {key: str(path) for key, path in files.items()} | settings
    return load_config(
        ROOT / "config/embedded.json", {f"dataset_generation.{key}": value for key, value in section.items()}
    )


@cache
def teacher() -> EmbeddedTeacher:
    return EmbeddedTeacher(config_of())


def prompt_of(domain_id: str) -> DomainPrompt:
    return DomainPrompt(domain_id=domain_id, language="en", prompt="A place.")


@cache
def schema_row(domain_id: str, variant: int) -> SchemaRow:
    """The schema that stage 02 builds from the teacher's spec."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        specs = Path(folder) / "specs.jsonl"
        write_atomic(specs, [done(teacher().propose(prompt_of(domain_id), variant, 0))])
        settings = config_of(schema_specs_out=str(specs)).dataset_generation
        return next(iter(build_rows(settings, [])))


def rows_of_all_kinds(per_schema: int) -> list[tuple[SchemaRow, QueryRow]]:
    domains = [domain.domain_id for domain in load_lexicon().domains[:12]]
    schemas = [schema_row(domain_id, variant) for domain_id in domains for variant in range(3)]
    return [(schema, row) for schema in schemas for row in done(teacher().write_queries(schema, 0, per_schema))]


def conditions_in(node: Any) -> int:
    if isinstance(node, list):
        return sum(map(conditions_in, node))
    return ("operator" in node) + sum(map(conditions_in, node.values())) if isinstance(node, dict) else 0


def nested_or_negated(where: Any) -> bool:
    children = where.get("and") or where.get("or") or []
    return "not" in where or any({"and", "or", "not"} & child.keys() for child in children)


def test_it_is_a_teacher() -> None:
    as_teacher: Teacher = teacher()
    assert as_teacher.identity == MadeBy(
        provider="embedded", model="embedded", seed=config_of().dataset_generation.seed
    )


def test_request_i_depends_on_seed_schema_and_i_alone() -> None:
    schema = schema_row("bakery", 0)
    whole = done(teacher().write_queries(schema, 0, 12))
    assert whole == done(teacher().write_queries(schema, 0, 5)) + done(
        EmbeddedTeacher(config_of()).write_queries(schema, 5, 7)
    )
    assert whole != done(EmbeddedTeacher(config_of(seed=12)).write_queries(schema, 0, 12))
    assert [row.language for row in whole] == ["en", "fr"] * 6
    assert [row.query_id for row in whole[:2]] == ["bakery-00-q000000", "bakery-00-q000001"]


def test_examples_fit_the_schema_that_stage_02_builds() -> None:
    for variant in range(3):
        spec = done(teacher().propose(prompt_of("museum"), variant, 10))
        validator = validator_for(schema_row("museum", variant).schema_json)
        assert [validator.problems(example.ast_json) for example in spec.examples] == [[]] * 10
        assert Counter(example.language for example in spec.examples) == {"en": 5, "fr": 5}


def test_the_mix_of_requests() -> None:
    rows = [row for _, row in rows_of_all_kinds(20)]
    asts = [row.ast_json or {} for row in rows]
    share = {
        "two or more conditions": sum(conditions_in(ast) >= 2 for ast in asts) / len(asts),
        "nesting or negation": sum(nested_or_negated(ast.get("where", {})) for ast in asts) / len(asts),
        "sort, limit, group, aggregate": sum(bool(ast.keys() - {"where"}) for ast in asts) / len(asts),
    }
    assert share["two or more conditions"] >= 0.4, share
    assert share["nesting or negation"] >= 0.2, share
    assert share["sort, limit, group, aggregate"] >= 0.2, share
    assert len({row.query for row in rows}) > 0.98 * len(rows)


def test_it_answers_its_own_requests_with_valid_asts() -> None:
    for schema, row in rows_of_all_kinds(5):
        outcome = done(teacher().answer(schema.schema_json, row))
        assert outcome.error is None and outcome.ast == row.ast_json
        assert validator_for(schema.schema_json).problems(outcome.ast) == []


def test_it_refuses_by_name_what_it_did_not_write() -> None:
    schema = schema_row("bakery", 0)
    row = done(teacher().write_queries(schema, 0, 1))[0]
    foreign = row.model_copy(update={"made_by": MadeBy(provider="ollama", model="gpt-oss:120b"), "ast_json": None})
    outcome = done(teacher().answer(schema.schema_json, foreign))
    assert outcome.ast is None
    assert "bakery-00-q000000 was written by ollama/gpt-oss:120b" in (outcome.error or "")
    elsewhere = done(teacher().answer(schema_row("zoo", 2).schema_json, row))
    assert elsewhere.ast is None and "another schema" in (elsewhere.error or "")


def test_it_judges_by_meaning() -> None:
    import random

    for schema, row in rows_of_all_kinds(2):
        known = row.ast_json
        assert known is not None
        judged = done(teacher().judge(schema.schema_json, row.query, known, json.loads(json.dumps(known))))
        assert judged.verdict == "accept"
        broken = mutate(known, schema.schema_json, random.Random(1)).ast
        assert done(teacher().judge(schema.schema_json, row.query, known, broken)).verdict == "reject"


def test_what_cannot_be_judged_is_an_error_and_no_rejection() -> None:
    schema = schema_row("bakery", 0)
    row = done(teacher().write_queries(schema, 0, 1))[0]
    assert done(teacher().judge(schema.schema_json, row.query, None, row.ast_json)).verdict == "error"
    assert done(teacher().judge(schema.schema_json, row.query, row.ast_json, None)).verdict == "error"


def test_the_typo_rate_is_the_share_of_requests_with_a_typo() -> None:
    schema = schema_row("bakery", 1)
    clean, typed = (EmbeddedTeacher(config_of(typo_rate=rate)) for rate in (0.0, 1.0))
    pairs = zip(done(clean.write_queries(schema, 0, 60)), done(typed.write_queries(schema, 0, 60)), strict=True)
    assert sum(a.query != b.query for a, b in pairs) > 57


@pytest.mark.slow
def test_ten_thousand_requests_take_well_under_a_minute() -> None:
    schemas = [schema_row("bakery", variant) for variant in range(3)]
    start = time.process_time()
    for schema in schemas:
        done(teacher().write_queries(schema, 0, 3334))
    assert time.process_time() - start < 30
