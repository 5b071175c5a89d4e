"""`astudent analyze`: the loss of a base model and of its checkpoint by grammar role; it can stand in CI."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def analyze(
    model: Annotated[str, typer.Option(help="The base model: a hub id, or a folder.")],
    data: Annotated[
        Path, typer.Option(help="JSONL of prompt and target_json, or of the corpus's prompt and completion.")
    ],
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder with an adapter, or a whole model; none: the base alone.")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(help="JSON Schema of all targets; none: each row's schema_json.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Such as cpu or cuda:1; none: the GPU where there is one.")] = None,
    max_examples: Annotated[int | None, typer.Option(min=1, help="Measure the first so many rows.")] = None,
    batch_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens computed at once; none: by the device.")
    ] = None,
    chat: Annotated[
        bool | None,
        typer.Option(
            "--chat/--no-chat", help="Render prompts by the chat template, or not; none: those of rows with completion."
        ),
    ] = None,
    lenient: Annotated[bool, typer.Option("--lenient", help="Score targets that are not JSON, as UNKNOWN.")] = False,
    threshold: Annotated[float, typer.Option(min=0, help="Percent by which a role's loss may rise.")] = 10.0,
    output: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML page.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print neither progress nor the table.")] = False,
) -> None:
    """Measure the loss of known answers by grammar role, before and after fine-tuning.

    Exit 1 when a role regressed: its loss rose by more than the threshold.
    """

    def action() -> None:
        from astudent.commands.role_output import write_report
        from astudent.role_losses.analysis import analyze

        report = analyze(
            model_name=model,
            data=data,
            checkpoint=checkpoint,
            schema=schema,
            device=device,
            max_examples=max_examples,
            batch_tokens=batch_tokens,
            chat=chat,
            lenient=lenient,
            threshold=threshold / 100,
            quiet=quiet,
        )
        write_report(report, output, html, quiet)

    with_exit_code(action)
