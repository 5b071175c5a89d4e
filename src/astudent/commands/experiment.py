"""`astudent experiment`: what selective loss does, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def experiment(
    config: Annotated[Path, typer.Option(help="Configuration whose data is there (stages 01 to 05).")] = Path(
        "config/defaults.json"
    ),
    repeats: Annotated[int, typer.Option(min=1, help="Seeds that each variant is trained with.")] = 1,
    out_dir: Annotated[Path, typer.Option(help="Folder of all trials and of the page.")] = Path("outputs/experiment"),
    variant: Annotated[
        list[str] | None, typer.Option(help="Only this one: baseline, conservative, moderate, aggressive. Repeatable.")
    ] = None,
    target_loss: Annotated[
        float | None, typer.Option(help="Loss of values to which steps are counted (none: the lowest that all reach).")
    ] = None,
    keep_rate: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Of all selective variants; none: training.keep_rate."),
    ] = None,
) -> None:
    """Train with and without selective loss on the same seeds, evaluate, and write a page that compares them."""

    def action() -> None:
        from astudent.experiment.plan import VARIANTS
        from astudent.experiment.run import run

        print(f"see {run(config, variant or VARIANTS, repeats, out_dir, target_loss, keep_rate)}", flush=True)

    with_exit_code(action)
