"""The sub-commands of `astudent` -> docs/cli.md, and the outputs in docs/json_tools.md. With --check: exit 1 where one is stale."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code
from astudent.command import app
from astudent.errors import RunError

DOCS = Path(__file__).resolve().parents[1] / "docs"
WIDTH = 100
CONSOLE = re.compile(r"(?<=```console\n)\$ (.*)\n((?:(?!```).*\n)*)")


def main(check: Annotated[bool, typer.Option("--check", help="Write nothing.")] = False) -> None:
    """Write both files, or check them."""
    with_exit_code(lambda: _write(check))


def _write(check: bool) -> None:
    tools = DOCS / "json_tools.md"
    for path, text in ((DOCS / "cli.md", reference()), (tools, with_outputs(tools.read_text(encoding="utf-8")))):
        if not check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise RunError(f"docs/{path.name} is stale", "Run scripts/write_cli_docs.py.")


def reference() -> str:
    """The help of `astudent` and of each sub-command, as Markdown."""
    group = typer.main.get_command(app)
    context = group.make_context("astudent", [], resilient_parsing=True, terminal_width=WIDTH)
    helps = {"astudent": group.get_help(context)}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = command.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=WIDTH)
        helps[f"astudent {name}"] = command.get_help(inner)
    parts = [f"## {title}\n\n```\n{_trimmed(text)}\n```\n" for title, text in helps.items()]
    return "# The command `astudent`\n\nMade by `scripts/write_cli_docs.py` from each `--help`.\n\n" + "\n".join(parts)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def with_outputs(text: str) -> str:
    """The document with the output of each command of its console blocks; `cat FILE` shows, and makes, a file."""
    with tempfile.TemporaryDirectory() as folder:
        return CONSOLE.sub(lambda found: f"$ {found[1]}\n" + _output(found[1], found[2], Path(folder)), text)


def _output(command: str, shown: str, folder: Path) -> str:
    name, *arguments = shlex.split(command)
    if name == "cat":
        (folder / arguments[0]).write_text(shown, encoding="utf-8")
        return shown
    run = [sys.executable, "-c", "from astudent.command import main; main()", *arguments]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        run, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


if __name__ == "__main__":
    typer.run(main)
