"""data/ -> a verdict: does pre-training of the tiny student keep its distance from the pipeline's language? Exit 1 where it does not."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code
from astudent.errors import RunError


def main(
    template: Annotated[Path, typer.Option(help="The pipeline's schema template.")] = Path(
        "data/base_schema_template.json"
    ),
    catalog: Annotated[Path, typer.Option(help="The pipeline's operators.")] = Path("data/operator_catalog.json"),
    dialects: Annotated[int, typer.Option(help="How many languages of pre-training are drawn.")] = 2000,
) -> None:
    """Check words, shapes and phrasings."""
    with_exit_code(lambda: _check(template, catalog, dialects))


def _check(template: Path, catalog: Path, dialects: int) -> None:
    from astudent.student.pretraining.separation import load, problems

    found = problems(load(template), load(catalog), dialects)
    if found:
        raise RunError("; ".join(found[:20]), "Change student/pretraining/ and pre-train again.")
    print(f"{dialects} dialects: no word, shape or phrasing of the pipeline's language")


if __name__ == "__main__":
    typer.run(main)
