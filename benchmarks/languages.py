"""Query languages and requests of the embedded teacher, for the benchmarks that need texts under schemas."""

import asyncio
from collections.abc import Iterator
from random import Random

from settings import ROOT

from astudent.config import load_config
from astudent.language.schema import build_schema, load_catalog, load_template
from astudent.records import DomainPrompt, QueryRow, SchemaRow
from astudent.teacher.embedded import EmbeddedTeacher

SCHEMAS = 20
Question = tuple[SchemaRow, QueryRow]


def questions(count: int) -> Iterator[Question]:
    """So many requests, schema by schema."""
    embedded = load_config(ROOT / "config/embedded.json")
    teacher, generation = EmbeddedTeacher(embedded), embedded.dataset_generation
    catalog, template = (
        load_catalog(ROOT / generation.operator_catalog),
        load_template(ROOT / generation.base_schema_template),
    )
    for number in range(SCHEMAS):
        prompt = DomainPrompt(domain_id="library", language="en", prompt="A library.")
        spec = asyncio.run(teacher.propose(prompt, number, 0))
        schema, operators = build_schema(spec, catalog, template, Random(number), 4, 7)
        row = SchemaRow(
            schema_id=spec.schema_id,
            domain_id=spec.domain_id,
            variant=number,
            operators=operators,
            schema_json=schema,
            schema_hash="",
            spec_hash="",
            made_by=spec.made_by,
        )
        for query in asyncio.run(teacher.write_queries(row, 0, -(-count // SCHEMAS))):
            yield row, query
