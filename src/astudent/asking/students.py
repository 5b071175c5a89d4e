"""The two students that answer a request, each loaded once for all requests of a call."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astudent.asking.reply import Answering, Reply
from astudent.asking.served import ServedModel, refuse_beams
from astudent.asking.trained import HINT, Trained
from astudent.errors import UsageError
from astudent.generation import Generation
from astudent.prompt import build_prompt
from astudent.settings import Prompt
from astudent.teacher.ollama_hosts import Hosts

TIMEOUT_SECONDS, PATIENCE_SECONDS = 300.0, 10.0


@contextmanager
def served(
    addresses: list[str], name: str, prompt: Prompt | None, schema: dict[str, Any], how: Generation
) -> Iterator[Answering]:
    """The model on the servers, its answers bound by the schema.

    UsageError where it is not there, for a beam search, or where neither `prompt` nor the model says with which words it was
    trained: asked with others it answers as validly, and wrongly.
    """
    refuse_beams(name, how)
    hosts = Hosts(addresses, name, most=1, timeout_seconds=TIMEOUT_SECONDS, patience_seconds=PATIENCE_SECONDS)
    model = ServedModel(hosts, how)
    with asyncio.Runner() as runner:
        try:
            runner.run(model.begin())
            words = prompt or model.prompt
            if words is None:
                raise UsageError(f"model {name} does not say with which prompt it was trained", HINT)
            yield lambda request: runner.run(model.answer(build_prompt(schema, request, words), schema))
        finally:
            runner.run(hosts.close())


@contextmanager
def in_process(
    adapter: Path, trained: Trained, schema: dict[str, Any], how: Generation, *, constrained: bool
) -> Iterator[Answering]:
    """The adapter on its base. UsageError where either cannot be had, RunError for a schema without a grammar."""
    from astudent.student.generate import generate
    from astudent.student.lean import make_lean
    from astudent.student.load import load_student
    from astudent.student.prompt import render

    student = load_student(trained.learning, adapter)
    make_lean(student.model)
    schemas = {"": schema} if constrained else None

    def answer(request: str) -> Reply:
        text = render(student.tokenizer, build_prompt(schema, request, trained.prompt))
        (found,) = generate(student, {"": [text]}, how, schemas=schemas)
        return Reply(found.text, found.prompt_tokens, found.tokens, found.truncated, found.seconds)

    yield answer
