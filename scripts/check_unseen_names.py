"""outputs/d_04_dataset.jsonl -> a verdict: do the new names of test_unseen occur in no other split and in no text of pre-training? Exit 1 where too few do."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code
from astudent.errors import RunError


def main(
    dataset: Annotated[Path, typer.Option(help="The data set of stage 04.")] = Path(
        "outputs/embedded/d_04_dataset.jsonl"
    ),
    tokenizer: Annotated[Path, typer.Option(help="The tiny student's, whose pieces make up words.")] = Path(
        "data/tiny_student/tokenizer.model"
    ),
    requests: Annotated[int, typer.Option(help="Requests of pre-training that are drawn.")] = 20000,
    least: Annotated[int, typer.Option(help="Schemas that must be left.")] = 30,
    results: Annotated[
        Path | None, typer.Option(help="An evaluation_results.jsonl: what it gives on the schemas that are left.")
    ] = None,
) -> None:
    """Count the unseen schemas of which a student can have met no field and no value."""
    with_exit_code(lambda: _check(dataset, tokenizer, requests, least, results))


def _check(dataset: Path, tokenizer: Path, requests: int, least: int, results: Path | None) -> None:
    from astudent.evaluation.unseen_names import names_met
    from astudent.jsonl import read_rows
    from astudent.records import DatasetRow
    from astudent.student.pretraining.separation import texts

    verdict = names_met(read_rows(dataset, DatasetRow), islice(texts(tokenizer), requests))
    for schema_id, names in sorted(verdict.met.items()):
        print(f"{schema_id}: " + ", ".join(f"{name} in {where}" for name, where in names.items()))
    total = len(verdict.unmet) + len(verdict.met)
    print(f"test_unseen: {total} schemas with new names; in {len(verdict.unmet)} no name occurs anywhere else")
    if results is not None:
        print(_rate(results, verdict.unmet))
    if len(verdict.unmet) < least:
        raise RunError(f"{len(verdict.unmet)} schemas are left, fewer than {least}", "Raise schemas_per_domain.")


def _rate(results: Path, schemas: frozenset[str]) -> str:
    from astudent.evaluation.results import ResultRow
    from astudent.evaluation.statistics import wilson
    from astudent.jsonl import read_rows

    rows = [row for row in read_rows(results, ResultRow) if row.schema_id in schemas and row.kind == "plain"]
    passed, asked = sum(bool(row.semantic_pass) for row in rows), len({row.schema_id for row in rows})
    interval = wilson(passed, len(rows))
    share = f"{passed / max(1, len(rows)):.1%} ({interval.low:.0%} to {interval.high:.0%})"
    return f"of these {asked} were asked about: semantic pass {share} of {len(rows)} requests"


if __name__ == "__main__":
    typer.run(main)
