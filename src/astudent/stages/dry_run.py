"""`--dry-run`: what a stage would ask a model teacher, and what that may cost, without asking anybody."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from astudent.cli import Options
from astudent.language.serialise import dumps
from astudent.settings import Config
from astudent.teacher.factory import judge_model, teacher_model
from astudent.teacher.ollama import OllamaTeacher
from astudent.teacher.ollama_chat import BYTES_PER_TOKEN
from astudent.teacher.protocol import Teacher
from astudent.teacher.usage import paid_so_far

Question = Callable[[Teacher], Coroutine[Any, Any, Any]]


class _Shown(Exception):
    """Ends a question where it would have been sent."""


class _Silent:
    """Stands where the chat does, and keeps the prompt instead of sending it."""

    def __init__(self, model: str) -> None:
        self.hosts = SimpleNamespace(model=model, most=1)
        self.prompt, self.format = "", {}

    def fit(self, prompts: Iterable[str]) -> None:
        """Nothing is sent, so nothing has to fit."""

    async def ask(self, prompt: str, format: dict[str, Any], *_: Any) -> Any:
        """Keeps what would have been sent."""
        self.prompt, self.format = prompt, format
        raise _Shown


def show(config: Config, options: Options, stage: str, calls: int, there: int, question: Question) -> None:
    """Prints the prompt of the first question with its format, the number of calls and an estimate of their cost.

    `calls` are those of a run from its beginning; to `there` of them the outputs hold the answers already.
    """
    judges = stage == "07"
    if (config.evaluation.teacher if judges else config.teacher.provider) != "ollama":
        print(f"{stage}: dry run: no model would be asked", flush=True)
        return
    model = judge_model(config, options.model) if judges else teacher_model(config, options)
    chat = _Silent(model.name)
    teacher: Any = OllamaTeacher(chat, "", config)  # pyright: ignore[reportArgumentType]
    with contextlib.suppress(_Shown):
        asyncio.run(question(teacher))
    print(f"{stage}: dry run, nothing is asked. The first prompt:\n\n{chat.prompt}")
    print(f"{stage}: its format: {dumps(chat.format)}\n")
    tokens = round(len(chat.prompt.encode()) / BYTES_PER_TOKEN)
    more = "more where a reply breaks its format or a request has to be replaced, none for what the cache holds"
    print(f"{stage}: about {calls} calls to {model.name} from the beginning ({more}), of some {tokens} tokens each")
    if there:
        print(
            f"{stage}: {there} of them are answered already; a run that goes on with the same settings leaves them out"
        )
    paid = paid_so_far(Path(config.run.outputs_root), stage)
    if paid and paid["calls"]:
        reply, seconds = paid["reply_tokens"] / paid["calls"], paid["seconds"] / paid["calls"]
        each = f"{reply:.0f} tokens and {seconds:.1f} s of the server each"
        total = f"{calls * seconds / 60:.1f} min of the server in all, shared by those that it works on at once"
        print(f"{stage}: replies, as in the {paid['calls']:.0f} calls of this stage so far: {each}: {total}")
    else:
        print(f"{stage}: no call of this stage has been paid for yet, so how long a reply takes is not known")
