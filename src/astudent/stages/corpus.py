"""Stage 05: outputs/d_04_dataset.jsonl -> outputs/d_05_training_corpus.jsonl and training_corpus_metadata.json

Rows of split `train` become prompts with completions, once the quality gate has passed the whole data set.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from astudent.cli import Options
from astudent.errors import RunError
from astudent.jsonl import read_rows, sha256_of, write_atomic
from astudent.language.serialise import serialise
from astudent.prompt import build_prompt, schema_text
from astudent.quality.check import GateOptions
from astudent.quality.clearance import METADATA_NAME, SHOWN
from astudent.quality.gate import run_gate
from astudent.quality.violations import GateReport
from astudent.records import CorpusRow, DatasetRow
from astudent.settings import Config
from astudent.settings import Prompt as PromptSettings
from astudent.stage import StageRun, settings_of
from astudent.stages.pretty import write_pretty
from astudent.tasks.registry import has_task


def run(config: Config, options: Options) -> None:
    """Gates the data set and writes the corpus. RunError names the first rows when the gate fails: no corpus then, unless
    `quality.require_pass` is off; its metadata say so, and the trainers ask again."""
    settings = config.dataset_generation
    dataset, out = Path(settings.dataset_out), Path(settings.training_corpus_out)
    metadata = out.with_name(METADATA_NAME)
    own = (
        *(f"dataset_generation.{key}" for key in ("include_invalid", "max_samples", "task")),
        *("prompt", "quality", "training.max_seq_length"),
    )
    stage = StageRun.begin(
        "05",
        outputs=[out, metadata],
        settings=settings_of(config, *own),
        inputs=[dataset],
        root=config.run.outputs_root,
        fresh=options.fresh,
    )
    if stage.status != "complete":
        report = run_gate([dataset], gate_options(config), quiet=False)
        is_refused = report.verdict == "fail" and config.quality.require_pass
        counts = {} if is_refused else write_corpus(dataset, out, config)
        write_metadata(metadata, report, counts, dataset, out)
        if report.total:
            show_violations(report)
        if is_refused:
            raise _refusal(report, metadata)
        stage.finish(**counts)
        judged = "passed" if report.verdict == "pass" else f"found {report.total} violations in"
        print(f"05: gate {judged} {report.rows} rows; corpus: {counts}", flush=True)
    write_pretty(out, Path(config.run.pretty_dir))


def gate_options(config: Config) -> GateOptions:
    """What the pipeline's own rows promise. Only the query language promises that no two sides share an AST: the fixed
    schema of a benchmark task leaves few ASTs to share. A task's answers are to be read in their texts."""
    rendering, is_task = config.prompt.schema_rendering, has_task(config)
    return GateOptions(
        near_duplicate_similarity=config.quality.near_duplicate_similarity,
        grounded=is_task,
        apart=not is_task,
        needs_training=True,
        max_tokens=config.training.max_seq_length,
        schema_text=lambda schema: schema_text(json.dumps(schema), rendering),
    )


def write_corpus(dataset: Path, out: Path, config: Config) -> dict[str, int]:
    """Writes the corpus and counts its rows by kind. RunError when it would be empty."""
    settings, counts = config.dataset_generation, Counter[str]()
    rows = read_rows(dataset, DatasetRow)
    if settings.max_samples is not None:
        usable = (row.schema_id for row in read_rows(dataset, DatasetRow) if _is_usable(row, settings.include_invalid))
        rows = _thinned(rows, quotas(Counter(usable), settings.max_samples), settings.include_invalid)
    made = corpus_rows(rows, config.prompt, include_invalid=settings.include_invalid)
    write_atomic(out, _counted(made, counts, dataset))
    return dict(counts)


def quotas(available: Mapping[str, int], most: int) -> dict[str, int]:
    """How many rows each schema gives to a corpus of `most` rows: as equal as what they have allows."""
    given: dict[str, int] = {}
    left = most
    for place, (schema_id, count) in enumerate(sorted(available.items(), key=lambda item: item[1])):
        given[schema_id] = min(count, left // (len(available) - place))
        left -= given[schema_id]
    return given


def _thinned(rows: Iterable[DatasetRow], left: dict[str, int], include_invalid: bool) -> Iterator[DatasetRow]:
    """The first rows of every schema, as many as its quota."""
    for row in rows:
        if _is_usable(row, include_invalid) and left[row.schema_id] > 0:
            left[row.schema_id] -= 1
            yield row


def _is_usable(row: DatasetRow, include_invalid: bool) -> bool:
    return row.split == "train" and (row.is_valid or include_invalid)


def corpus_rows(rows: Iterable[DatasetRow], prompt: PromptSettings, *, include_invalid: bool) -> Iterator[CorpusRow]:
    """A plain row for each positive of split `train`, and a repair row for each negative made from one.

    A negative follows its positive, as stage 04 writes them and the gate makes sure; in an unchecked data set one that
    does not is left out.
    """
    completions: dict[str, str] = {}
    for row in rows:
        if row.split != "train":
            continue
        if row.is_valid:
            completion = completions[row.query_id] = serialise(row.ast_json, row.schema_json)
            yield corpus_row(row, completion, prompt)
        elif include_invalid and row.positive_id in completions:
            yield corpus_row(row, completions[row.positive_id], prompt)


def corpus_row(row: DatasetRow, completion: str, prompt: PromptSettings) -> CorpusRow:
    """The prompt of a row and the right answer to it; a negative shows its broken AST in the prompt only."""
    repair = None
    if not row.is_valid:
        repair = (serialise(row.ast_json, row.schema_json), row.validator_message or "")
    return CorpusRow(
        query_id=row.query_id,
        schema_id=row.schema_id,
        language=row.language,
        schema_json=row.schema_json,
        query=row.query,
        ast_json=json.loads(completion),
        kind="repair" if repair else "plain",
        prompt=build_prompt(row.schema_json, row.query, prompt, repair),
        completion=completion,
        made_by=row.made_by,
    )


def write_metadata(path: Path, report: GateReport, counts: dict[str, int], dataset: Path, corpus: Path) -> None:
    """The gate's verdict and the counts, beside the corpus, with the hashes of what they are about."""
    facts = {
        "verdict": report.verdict,
        "corpus_rows": sum(counts.values()),
        "corpus_rows_by_kind": counts,
        "dataset": str(dataset),
        "dataset_sha256": sha256_of(dataset),
        "corpus_sha256": sha256_of(corpus) if counts else None,
        "gate": report.as_json(),
    }
    write_atomic(path, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def _counted(rows: Iterable[CorpusRow], counts: Counter[str], dataset: Path) -> Iterator[CorpusRow]:
    for row in rows:
        counts[row.kind] += 1
        yield row
    if not counts:
        raise RunError(f"{dataset}: no row of split train", "Make the data set again: stage 04 --fresh.")


def show_violations(report: GateReport) -> None:
    """The first ones on stderr."""
    for violation in report.named[:SHOWN]:
        print(f"05: {violation.one_line()}", file=sys.stderr)


def _refusal(report: GateReport, metadata: Path) -> RunError:
    ids = ", ".join(f"{Path(each.file).name}:{each.line} ({each.id})" for each in report.named[:SHOWN])
    more = f" and {report.total - SHOWN} more" if report.total > SHOWN else ""
    message = f"{report.file}: {report.total} violations of the quality gate: {ids}{more}"
    return RunError(message, f"All are in {metadata}; mend the rows, or make them again: stage 04 --fresh.")
