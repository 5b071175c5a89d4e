"""Stage 01: data/domain_prompts.jsonl -> outputs/d_01_domain_specs.jsonl

The teacher proposes one table (fields, values, example requests) for every domain prompt and variant.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from astudent.cli import Options
from astudent.errors import RunError
from astudent.jsonl import RowWriter, read_rows
from astudent.records import DomainPrompt, DomainSpec
from astudent.settings import Config
from astudent.stage import StageRun, settings_of
from astudent.stages.pretty import write_pretty
from astudent.teacher.factory import build_teacher, teacher_settings
from astudent.teacher.protocol import Teacher, TeacherFailure


def run(config: Config, options: Options) -> None:
    """Writes one DomainSpec per (domain, variant); every domain's variant 0 first, so that more variants add rows."""
    settings = config.dataset_generation
    prompts_path, out = Path(settings.prompts_path), Path(settings.schema_specs_out)
    prompts = read_prompts(prompts_path, settings.max_domains)
    teacher = build_teacher(config, options)
    own = ("schemas_per_domain", "examples_per_schema", "max_domains", "seed")
    stage = StageRun.begin(
        "01",
        outputs=[out],
        settings=settings_of(config, *(f"dataset_generation.{key}" for key in own)) | teacher_settings(config, teacher),
        inputs=[prompts_path],
        root=config.run.outputs_root,
        fresh=options.fresh,
        growing={"dataset_generation.schemas_per_domain"},
    )
    if stage.status != "complete":
        failed = write_specs(teacher, prompts, settings.schemas_per_domain, settings.examples_per_schema, out)
        stage.finish(specs=sum(1 for _ in read_rows(out, DomainSpec)), failed=failed)
    write_pretty(out, Path(config.run.pretty_dir))


def read_prompts(path: Path, most: int | None) -> list[DomainPrompt]:
    """The domain prompts, `most` of them at most. RunError when there is none, or a domain_id stands twice."""
    prompts = list(read_rows(path, DomainPrompt))[:most]
    if not prompts:
        raise RunError(f"{path}: no domain prompt", "Add lines of domain_id, language and prompt.")
    ids = [prompt.domain_id for prompt in prompts]
    for number, domain_id in enumerate(ids, start=1):
        if domain_id in ids[: number - 1]:
            raise RunError(f"{path}:{number}:domain_id: {domain_id} stands twice", "Give each domain an id of its own.")
    return prompts


def write_specs(teacher: Teacher, prompts: list[DomainPrompt], variants: int, examples: int, out: Path) -> list[str]:
    """Appends the specs that `out` lacks; gives back the schema_ids for which the teacher found none."""
    done = {spec.schema_id for spec in read_rows(out, DomainSpec, repair=True)} if out.exists() else set()
    failed = []
    with RowWriter(out) as writer:
        for prompt, variant in _jobs(prompts, variants):
            schema_id = schema_id_of(prompt.domain_id, variant)
            if schema_id in done:
                continue
            try:
                writer.append(teacher.propose(prompt, variant, examples))
            except TeacherFailure as failure:
                failed.append(schema_id)
                print(f"01: warning: no spec for {schema_id}: {failure}", file=sys.stderr)
    if len(failed) == len(prompts) * variants:
        raise RunError(f"{out}: the teacher gave no spec for any of {len(failed)} domains", "Try another --model.")
    return failed


def schema_id_of(domain_id: str, variant: int) -> str:
    """`shop-00`: the id of a domain's variant."""
    return f"{domain_id}-{variant:02d}"


def _jobs(prompts: list[DomainPrompt], variants: int) -> Iterator[tuple[DomainPrompt, int]]:
    for variant in range(variants):
        for prompt in prompts:
            yield prompt, variant
