"""Stage 02: outputs/d_01_domain_specs.jsonl -> outputs/d_02_final_schemas.jsonl

Fields, enum values and a sample of operators go into the base template.
"""

import hashlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from astudent.cli import Options
from astudent.errors import AstudentError, RunError
from astudent.jsonl import line_of, read_rows, write_atomic
from astudent.language.schema import build_schema, load_catalog, load_template
from astudent.language.validation import check_schema
from astudent.records import DomainSpec, SchemaRow
from astudent.settings import Config, DatasetGeneration
from astudent.stage import StageRun, settings_of
from astudent.stages.pretty import write_pretty
from astudent.tasks.registry import is_left_out


def run(config: Config, options: Options) -> None:
    """Builds one schema per spec, from the seed and the spec alone."""
    if is_left_out(config, "02"):
        return
    settings = config.dataset_generation
    specs, out = Path(settings.schema_specs_out), Path(settings.final_schemas_out)
    own = ("min_operators", "max_operators", "seed")
    stage = StageRun.begin(
        "02",
        outputs=[out],
        settings=settings_of(config, *(f"dataset_generation.{key}" for key in own)),
        inputs=[specs, settings.operator_catalog, settings.base_schema_template],
        root=config.run.outputs_root,
        fresh=options.fresh,
    )
    if stage.status != "complete":
        skipped: list[str] = []
        write_atomic(out, build_rows(settings, skipped))
        stage.finish(schemas=sum(1 for _ in read_rows(out, SchemaRow)), skipped=skipped)
    write_pretty(out, Path(config.run.pretty_dir))


def build_rows(settings: DatasetGeneration, skipped: list[str]) -> Iterator[SchemaRow]:
    """One checked SchemaRow per spec. A spec that gives no language is said and added to `skipped`.

    RunError when no spec gives one.
    """
    catalog = load_catalog(Path(settings.operator_catalog))
    template = load_template(Path(settings.base_schema_template))
    built = 0
    for spec in read_rows(settings.schema_specs_out, DomainSpec):
        rng = random.Random(f"{settings.seed}:schema:{spec.schema_id}")
        try:
            schema, operators = build_schema(
                spec, catalog, template, rng, settings.min_operators, settings.max_operators
            )
            check_schema(schema)
        except AstudentError as error:
            skipped.append(spec.schema_id)
            print(f"02: warning: {spec.schema_id} left out: {error.message}", file=sys.stderr)
            continue
        built += 1
        yield SchemaRow(
            schema_id=spec.schema_id,
            domain_id=spec.domain_id,
            variant=spec.variant,
            operators=operators,
            schema_json=schema,
            schema_hash=hashlib.sha256(line_of(schema)).hexdigest(),
            spec_hash=hashlib.sha256(line_of(spec)).hexdigest(),
            made_by=spec.made_by,
        )
    if not built:
        raise RunError(f"{settings.schema_specs_out}: no spec gives a schema", "Make them again: stage 01 --fresh.")
