"""nothing, or an earlier checkpoint -> data/tiny_student/: pre-trains the tiny student on languages of its own and writes its folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

from astudent.cli import with_exit_code


def main(
    steps: Annotated[int, typer.Option(help="Optimizer steps from the very beginning, earlier runs included.")] = 20000,
    cooldown: Annotated[
        int,
        typer.Option(help="The last steps, over which the learning rate falls to 2%. 0 for a leg that goes on later."),
    ] = 2300,
    work: Annotated[
        Path, typer.Option(help="Folder of the checkpoint and the log; a checkpoint there is resumed.")
    ] = Path(".cache/pretraining"),
    start: Annotated[
        Path | None,
        typer.Option(
            help="Begin a new run with the weights of this folder, at the step that they had (none: from nothing)."
        ),
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Of the matrices (Muon).")] = 0.01,
    embedding_rate: Annotated[float, typer.Option(help="Of embeddings and norms (AdamW).")] = 0.005,
    seed: Annotated[int, typer.Option(help="Of the weights and of the drawn texts.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder that transformers loads and Ollama imports.")] = Path(
        "data/tiny_student"
    ),
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
) -> None:
    """Pre-train the tiny student: some eight hours on two cores. Stop it at any time; the same command goes on."""
    rates = {"learning_rate": learning_rate, "embedding_rate": embedding_rate}
    with_exit_code(
        lambda: _pretrain(out, threads, work=work, steps=steps, cooldown=cooldown, start=start, seed=seed, **rates)
    )


def _pretrain(out: Path, threads: int, **plan: Any) -> None:
    import torch

    from astudent.student.pretraining.publish import publish
    from astudent.student.pretraining.train import Plan, Pretraining

    torch.set_num_threads(threads)
    Pretraining(Plan(**plan)).run()
    publish(plan["work"], out)


if __name__ == "__main__":
    typer.run(main)
