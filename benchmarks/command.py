"""The command line that the benchmarks share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from measure import Case, machine, write
from models import HEADLINE_MODEL, MODELS
from settings import DTYPES, Arrangement, arrangements


def benchmark(
    name: str,
    summary: str,
    ready: Callable[[Any], Any],
    case: Callable[[Any, str, Arrangement], list[Case]],
    arranged: Callable[[str], list[Arrangement]] = arrangements,
) -> None:
    """Runs the command line: `case` for each model, made `ready`, in each arrangement."""

    def main(
        json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
        dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
        headline: Annotated[bool, typer.Option("--headline", help="The headline alone, once.")] = False,
    ) -> None:
        cases: list[Case] = []
        for model_name, build in MODELS.items():
            model = ready(build(DTYPES[dtype]))
            for asked in arranged(model_name):
                if not headline:
                    cases += case(model, model_name, asked)
                elif asked.headline and model_name == HEADLINE_MODEL:
                    cases += case(model, model_name, replace(asked, rounds=1))
        write(json_file, name, machine(DTYPES[dtype]), cases)

    main.__doc__ = summary
    typer.run(main)
