"""The console script `astudent`: what users do beside the stages. A sub-command is a function of `astudent.commands`
that reads its flags, makes one call into the package and prints; it imports what it needs when it runs."""

import sys

import typer

from astudent.commands import experiment, json_tools
from astudent.commands.analyze import analyze
from astudent.commands.ask import ask
from astudent.commands.cards import card, leaderboard
from astudent.commands.compare import compare
from astudent.commands.export import export
from astudent.commands.forms import forms
from astudent.commands.gate import gate
from astudent.commands.import_rows import import_rows

app = typer.Typer(
    name="astudent",
    help="What stands beside the stages: tools for JSON that models write, the quality gate, loss by grammar role, experiments with the loss.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    # a False for the --help that a sub-command's --help leaves open here: Typer loads pydantic to make one of None
    context_settings={"help_option_names": ["-h", "--help"], "default_map": {"help": False}},
)
for command in (
    json_tools.extract,
    json_tools.validate,
    json_tools.repair,
    json_tools.anatomy,
    json_tools.diff,
    analyze,
    ask,
    gate,
    experiment.experiment,
    compare,
    forms,
    leaderboard,
    card,
    export,
):
    app.command()(command)
app.command("import")(import_rows)


def main() -> None:
    """Runs the sub-command that the command line names. A lone surrogate is printed as its JSON escape."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
    app()
