"""A student on an Ollama server behind the protocol of phase one, so that what is measured is what is deployed."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astudent.asking.served import ServedModel, is_served, refuse_beams, served_name
from astudent.errors import UsageError
from astudent.evaluation.answers import Answer
from astudent.evaluation.results import Decoding
from astudent.evaluation.samples import Sample, content_of
from astudent.generation import generation_of
from astudent.in_order import in_order
from astudent.machine import ollama_hosts
from astudent.settings import Config
from astudent.teacher.ollama_hosts import Hosts


def with_student(config: Config) -> Config:
    """The configuration with a served model in the adapter's place, where `evaluation.student` names one.

    UsageError for what no served model can be asked: images, a beam search, and the align split, whose prompts stage 10 trains on as they
    are rendered here; and for the base model's folder as its own.
    """
    settings = config.evaluation
    student = settings.student or settings.adapter
    if settings.student is None and not is_served(student):
        return config
    served_name(student)
    if config.training.modality == "vision":
        raise UsageError(f"{student}: a served student is asked in words only", "Evaluate the adapter.")
    refuse_beams(student, generation_of(settings))
    if "align" in settings.splits:
        raise UsageError(f"{student}: pairs are built from the adapter's own answers", "Evaluate the adapter.")
    if Path(settings.out_dir) == Path(settings.base_out_dir):
        hint = "Call stage 07 itself, with an --out-dir of its own."
        raise UsageError(f"{settings.out_dir} is the base model's place, not that of {student}", hint)
    return config.model_copy({"evaluation": settings.model_copy({"adapter": student})})


class ServedStudent:
    """Many requests at once, as many as make the server faster; free, or each bound by its schema (`format`)."""

    def __init__(self, model: ServedModel, config: Config, decoding: Decoding, runner: asyncio.Runner) -> None:
        self._model, self._config, self._runner = model, config, runner
        self._is_bound = decoding == "constrained"

    def answer(self, samples: Sequence[Sample]) -> Iterator[Answer]:
        """One answer for each sample; RunError where the servers are away for too long, or refuse a schema.

        `prompt_text` is the message as it was sent: the marks around it are the server's.
        """
        answers = in_order(self._answer, samples, 2 * self._model.hosts.most)
        try:
            while (answer := self._runner.run(_next(answers))) is not None:
                yield answer
        finally:
            self._runner.run(answers.aclose())

    def facts(self) -> dict[str, Any]:
        """The way in which it was asked."""
        return {"endpoint": "/api/chat"}

    async def _answer(self, sample: Sample) -> Answer:
        content = content_of(sample, self._config.prompt)
        reply = await self._model.answer(content, sample.row.schema_json if self._is_bound else None)
        finish = "length" if reply.truncated else "stop"
        return Answer(content, reply.text, reply.prompt_tokens, reply.tokens, finish, reply.seconds)


async def _next(answers: AsyncGenerator[Answer]) -> Answer | None:
    return await anext(answers, None)


@contextmanager
def make_served(config: Config, student: str, decoding: Decoding) -> Iterator[ServedStudent]:
    """The model `ollama:NAME` on `evaluation.student_hosts`, which is unloaded on leaving: a judge may need the room.

    UsageError where it is not there.
    """
    hosts = _hosts(config, student)
    model = ServedModel(hosts, generation_of(config.evaluation))
    with asyncio.Runner() as runner:
        try:
            runner.run(model.begin())
            if model.prompt not in (None, config.prompt):
                hint = "Name the configuration of its training with --config."
                raise UsageError(f"{student} was trained with another prompt than the configuration's", hint)
            yield ServedStudent(model, config, decoding, runner)
            runner.run(hosts.unload())
        finally:
            runner.run(hosts.close())


def served_digest(config: Config, student: str) -> str:
    """Which version of the model the servers have. UsageError where one lacks it."""

    async def asked() -> str:
        hosts = _hosts(config, student)
        try:
            return await hosts.digest()
        finally:
            await hosts.close()

    return asyncio.run(asked())


def _hosts(config: Config, student: str) -> Hosts:
    teacher = config.teacher
    return Hosts(
        _addresses(config),
        served_name(student),
        most=teacher.max_in_flight,
        timeout_seconds=teacher.timeout_seconds,
        patience_seconds=teacher.patience_seconds,
    )


def _addresses(config: Config) -> list[str]:
    named = config.evaluation.student_hosts
    return ollama_hosts(named, "evaluation.student_hosts") if named else ollama_hosts(config.teacher.hosts)
