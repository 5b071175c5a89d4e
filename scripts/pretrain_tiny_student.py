"""nothing, or an earlier checkpoint -> data/tiny_student/: pre-trains the tiny student on languages of its own and writes its folder."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def main(
    steps: Annotated[int, typer.Option(help="Optimizer steps from the very beginning, earlier runs included.")] = 5000,
    cooldown: Annotated[
        int,
        typer.Option(help="The last steps, over which the learning rate falls to 2%. 0 for a leg that goes on later."),
    ] = 2000,
    work: Annotated[
        Path, typer.Option(help="Folder of the checkpoint and the log; a checkpoint there is resumed.")
    ] = Path(".cache/pretraining"),
    start: Annotated[
        Path | None, typer.Option(help="Begin a new run with the weights of this folder (none: from nothing).")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that transformers loads and Ollama imports.")] = Path(
        "data/tiny_student"
    ),
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
) -> None:
    """Pre-train the tiny student: two hours and more on two cores. Stop it at any time; the same command goes on."""
    with_exit_code(lambda: _pretrain(steps, cooldown, work, start, out, threads))


def _pretrain(steps: int, cooldown: int, work: Path, start: Path | None, out: Path, threads: int) -> None:
    import torch

    from astudent.student.pretraining.publish import publish
    from astudent.student.pretraining.train import Plan, Pretraining

    torch.set_num_threads(threads)
    Pretraining(Plan(work=work, steps=steps, cooldown=cooldown, start=start)).run()
    publish(work, out)


if __name__ == "__main__":
    typer.run(main)
