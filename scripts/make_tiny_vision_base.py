"""Write a tiny vision-language base of Qwen2.5-VL's shape with random weights, for training on forms without a GPU."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def main(
    out: Annotated[Path, typer.Option(help="Folder of model, tokenizer and processor.")] = Path("outputs/forms/base"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights.")] = 0,
) -> None:
    """Write a tiny vision-language base of Qwen2.5-VL's shape with random weights, for training on forms without a GPU."""

    def action() -> None:
        from astudent.student.tiny_vision import write_tiny_vision_base

        write_tiny_vision_base(out, seed)
        print(f"{out}: a base with random weights", flush=True)

    with_exit_code(action)


if __name__ == "__main__":
    typer.run(main)
