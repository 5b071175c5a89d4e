"""The command line that the benchmarks share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from measure import Case, machine, write
from models import MODELS
from settings import DTYPES, KINDS, Arrangement, Dtype, arrangements

CASES = f"Only these: {'; '.join(f'{kind} ({what})' for kind, what in KINDS.items())}. May be repeated."


def known(kinds: list[str] | None) -> list[str]:
    """The kinds that were asked for; all without one."""
    for kind in kinds or ():
        if kind not in KINDS:
            raise typer.BadParameter(f"{kind} is none of {', '.join(KINDS)}")
    return kinds or list(KINDS)


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
        dtype: Annotated[Dtype, typer.Option()] = "float32",
        kinds: Annotated[list[str] | None, typer.Option("--case", help=CASES, callback=known)] = None,
        rounds: Annotated[
            int | None, typer.Option(min=1, help="How often each case is run, not its own number.")
        ] = None,
    ) -> None:
        cases: list[Case] = []
        for model_name, build in MODELS.items():
            wanted = [asked for asked in arranged(model_name) if asked.kind in (kinds or ())]
            model = ready(build(DTYPES[dtype])) if wanted else None
            for asked in wanted:
                cases += case(model, model_name, asked if rounds is None else replace(asked, rounds=rounds))
                write(json_file, name, machine(DTYPES[dtype]), cases)

    main.__doc__ = summary
    typer.run(main)
