"""Stage 01: data/domain_prompts.jsonl -> outputs/d_01_domain_specs.jsonl

The teacher proposes one table (fields, values, example requests) for every domain prompt and variant.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from astudent.cli import Options
from astudent.errors import RunError
from astudent.in_order import in_order
from astudent.jsonl import RowWriter, read_rows
from astudent.progress import Tally
from astudent.records import DomainPrompt, DomainSpec
from astudent.settings import Config
from astudent.stage import StageRun, settings_of
from astudent.stages import dry_run
from astudent.stages.failures import FailureLog
from astudent.stages.pretty import write_pretty
from astudent.tasks.registry import is_left_out
from astudent.teacher.factory import teacher_settings, the_teacher
from astudent.teacher.protocol import Teacher, TeacherFailure


def run(config: Config, options: Options) -> None:
    """Writes one DomainSpec per (domain, variant); every domain's variant 0 first, so that more variants add rows."""
    if is_left_out(config, "01"):
        return
    if options.dry_run:
        return _dry_run(config, options)
    asyncio.run(_run(config, options))
    write_pretty(Path(config.dataset_generation.schema_specs_out), Path(config.run.pretty_dir))


def _dry_run(config: Config, options: Options) -> None:
    settings = config.dataset_generation
    prompts = read_prompts(Path(settings.prompts_path), settings.max_domains)
    jobs = _jobs_left(prompts, settings.schemas_per_domain, Path(settings.schema_specs_out))
    first, examples = (*jobs, (prompts[0], 0))[0], settings.examples_per_schema
    calls = len(prompts) * settings.schemas_per_domain
    dry_run.show(config, options, "01", calls, calls - len(jobs), lambda teacher: teacher.propose(*first, examples))


async def _run(config: Config, options: Options) -> None:
    settings = config.dataset_generation
    prompts_path, out = Path(settings.prompts_path), Path(settings.schema_specs_out)
    prompts = read_prompts(prompts_path, settings.max_domains)
    own = ("schemas_per_domain", "examples_per_schema", "max_domains", "seed")
    async with the_teacher(config, options, "01") as teacher:
        stage = StageRun.begin(
            "01",
            outputs=[out],
            settings=settings_of(config, *(f"dataset_generation.{key}" for key in own))
            | teacher_settings(config, teacher),
            inputs=[prompts_path],
            root=config.run.outputs_root,
            fresh=options.fresh,
            growing={"dataset_generation.schemas_per_domain"},
        )
        if stage.status != "complete":
            failed = await write_specs(teacher, prompts, settings.schemas_per_domain, settings.examples_per_schema, out)
            stage.finish(specs=sum(1 for _ in read_rows(out, DomainSpec)), failed=failed)


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


async def write_specs(
    teacher: Teacher, prompts: list[DomainPrompt], variants: int, examples: int, out: Path
) -> list[str]:
    """Appends the specs that `out` lacks; gives back the schema_ids for which the teacher found none."""
    jobs = _jobs_left(prompts, variants, out)
    failed = []

    async def proposed(job: tuple[DomainPrompt, int]) -> tuple[str, DomainSpec | TeacherFailure]:
        prompt, variant = job
        try:
            found = await teacher.propose(prompt, variant, examples)
        except TeacherFailure as failure:
            found = failure
        return schema_id_of(prompt.domain_id, variant), found

    with RowWriter(out) as writer, FailureLog(out) as failures, Tally("01", len(jobs)) as progress:
        async for schema_id, found in in_order(progress.counted(proposed), jobs, teacher.ahead):
            if isinstance(found, DomainSpec):
                writer.append(found)
            else:
                failed.append(schema_id)
                failures.add(schema_id, found)
                print(f"01: warning: no spec for {schema_id}: {found}", file=sys.stderr)
    if len(failed) == len(prompts) * variants:
        hint = f"Its replies stand in {failures.path}. Look at them before you try another --model."
        raise RunError(f"{out}: the teacher gave no spec for any of {len(failed)} domains", hint)
    return failed


def schema_id_of(domain_id: str, variant: int) -> str:
    """`shop-00`: the id of a domain's variant."""
    return f"{domain_id}-{variant:02d}"


def _jobs_left(prompts: list[DomainPrompt], variants: int, out: Path) -> list[tuple[DomainPrompt, int]]:
    done = {spec.schema_id for spec in read_rows(out, DomainSpec, repair=True)} if out.exists() else set()
    return [job for job in _jobs(prompts, variants) if schema_id_of(job[0].domain_id, job[1]) not in done]


def _jobs(prompts: list[DomainPrompt], variants: int) -> Iterator[tuple[DomainPrompt, int]]:
    for variant in range(variants):
        for prompt in prompts:
            yield prompt, variant
