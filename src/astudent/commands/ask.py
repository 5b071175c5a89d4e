"""`astudent ask`: one request answered by a trained student, in this process or on an Ollama server."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astudent.cli import with_exit_code

if TYPE_CHECKING:
    from astudent.asking.reply import Answering

BEAMS = 4
"""Of an answer in this process, where nothing else is asked: one request waits for nobody, and a wider beam gains little."""


def ask(
    schema: Annotated[Path, typer.Option(help="JSON Schema that the answer has to fit.")],
    request: Annotated[
        str | None, typer.Argument(help="What is wanted; none: stdin, at a terminal one request after the other.")
    ] = None,
    adapter: Annotated[Path | None, typer.Option(help="Folder of the adapter that answers, in this process.")] = None,
    ollama: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model on an Ollama server that answers, bound by the schema.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="That server; none: OLLAMA_HOST, else 127.0.0.1:11434.")] = None,
    constrained: Annotated[
        bool, typer.Option("--constrained", help="Decode under the schema's grammar, as --ollama always does.")
    ] = False,
    beams: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help=f"With --adapter: beginnings of the answer that are kept side by side (none: {BEAMS}; 1: greedy).",
        ),
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer (tokens).")] = 512,
    config: Annotated[
        str | None,
        typer.Option(
            help="Configuration of the student's training; none: the record beside the adapter, or what the model says of itself."
        ),
    ] = None,
) -> None:
    """Answer a request with JSON that is valid under the schema, printed on stdout.

    Exit 1 where the student's answer is none; why is said on stderr.
    """

    def action() -> None:
        from astudent.commands.ask_output import converse, print_answer, read_request, sized
        from astudent.json_texts.schema_file import read_schema

        read = read_schema(schema) or {}
        is_interactive = request is None and sys.stdin.isatty()
        asked = None if is_interactive else read_request() if request is None else sized(request)
        with _student(adapter, ollama, host, constrained, beams, max_new_tokens, config, read) as answer:
            if asked is None:
                converse(answer, read)
            else:
                print_answer(answer, asked, read)

    with_exit_code(action)


def _student(
    adapter: Path | None,
    ollama: str | None,
    host: str | None,
    constrained: bool,
    beams: int | None,
    max_new_tokens: int,
    config: str | None,
    schema: dict[str, Any],
) -> "AbstractContextManager[Answering]":
    from astudent.errors import UsageError
    from astudent.generation import Generation

    if (adapter is None) == (ollama is None):
        raise UsageError("name one student", "Give --adapter FOLDER or --ollama NAME.")
    if adapter is not None:
        from astudent.asking.students import in_process
        from astudent.asking.trained import how_trained
        from astudent.student.checkpoint import check_adapter

        check_adapter(adapter)
        how = Generation(max_new_tokens, beams=beams or BEAMS)
        return in_process(adapter, how_trained(adapter, config), schema, how, constrained=constrained)
    from astudent.asking.students import served
    from astudent.config import load_config
    from astudent.machine import ollama_hosts

    prompt = None if config is None else load_config(config).prompt
    addresses, how = ollama_hosts([host] if host else [], "--host"), Generation(max_new_tokens, beams=beams or 1)
    return served(addresses, ollama or "", prompt, schema, how)
