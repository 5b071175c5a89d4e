"""The teacher that a configuration asks for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astudent.cli import Options
from astudent.errors import UsageError
from astudent.machine import ollama_hosts
from astudent.settings import Config
from astudent.stage import settings_of
from astudent.teacher.model_id import ModelId, resolve_model_id
from astudent.teacher.prompting import prompts_digest
from astudent.teacher.protocol import Teacher

if TYPE_CHECKING:
    from astudent.teacher.ollama_hosts import Hosts


@asynccontextmanager
async def the_teacher(config: Config, options: Options, stage: str) -> AsyncIterator[Teacher]:
    """The teacher of the data stages, ready to be asked; what it costs is counted for `stage`.

    UsageError where the model or its server is absent: a teacher is never replaced by another.
    """
    if config.teacher.provider == "embedded":
        yield _embedded(config, options.model)
        return
    async with ollama_teacher(config, teacher_model(config, options), stage) as teacher:
        yield teacher


@asynccontextmanager
async def the_judge(config: Config, model: str | None, stage: str) -> AsyncIterator[Teacher]:
    """The teacher that `evaluation.teacher` names; `model` is what --teacher-model said."""
    if config.evaluation.teacher == "none":
        raise UsageError("evaluation.teacher is none: there is no judge", "Set it to ollama or embedded.")
    if config.evaluation.teacher == "embedded":
        yield _embedded(config, model)
        return
    async with ollama_teacher(config, judge_model(config, model), stage) as teacher:
        yield teacher


def teacher_model(config: Config, options: Options) -> ModelId:
    """The model that makes the data."""
    return resolve_model_id(options.model, config.teacher.model)


def judge_model(config: Config, model: str | None) -> ModelId:
    """The model that judges; `model` is what --teacher-model said."""
    return resolve_model_id(model, config.evaluation.teacher_model or config.teacher.model)


@asynccontextmanager
async def ollama_teacher(config: Config, model: ModelId, stage: str) -> AsyncIterator[Teacher]:
    """The Ollama teacher on the configured hosts, its model checked and its digest read."""
    from astudent.teacher.ollama import OllamaTeacher
    from astudent.teacher.ollama_chat import ChatSettings, OllamaChat
    from astudent.teacher.reply_cache import ReplyCache
    from astudent.teacher.usage import Usage

    teacher, hosts = config.teacher, _hosts(config, model)
    settings = ChatSettings(teacher.think, teacher.num_ctx, teacher.num_predict, teacher.keep_alive)
    try:
        with ReplyCache(Path(teacher.cache_path), teacher.cache_max_mb) as cache:
            chat = OllamaChat(settings, hosts, cache, Usage(cache, Path(config.run.outputs_root), stage))
            asked = OllamaTeacher(chat, await chat.begin(), config)
            try:
                yield asked
            finally:
                await asked.end()
    finally:
        await hosts.close()


async def free_memory(config: Config, model: ModelId) -> None:
    """Unloads the model on all configured hosts; one that is gone has freed it already."""
    hosts = _hosts(config, model)
    try:
        await hosts.unload()
    finally:
        await hosts.close()


def teacher_settings(config: Config, teacher: Teacher) -> dict[str, Any]:
    """What decides a teacher's words, for the record of a run: who it is and how it is asked, not where it runs."""
    identity = {f"teacher.{key}": value for key, value in teacher.identity.model_dump().items()}
    keys = ["dataset_generation.languages"]
    if config.teacher.provider == "embedded":
        keys += ["dataset_generation.typo_rate"]
    else:
        asked = (
            "think",
            "temperature",
            "creative_temperature",
            "samples",
            "least_agreement",
            "round_trip",
            "num_predict",
        )
        keys += [f"teacher.{key}" for key in asked]
        identity["teacher.prompts"] = prompts_digest()
    return settings_of(config, *keys) | identity


def _hosts(config: Config, model: ModelId) -> "Hosts":
    from astudent.teacher.ollama_hosts import Hosts

    teacher = config.teacher
    return Hosts(
        ollama_hosts(teacher.hosts),
        model.name,
        most=teacher.max_in_flight,
        timeout_seconds=teacher.timeout_seconds,
        patience_seconds=teacher.patience_seconds,
    )


def _embedded(config: Config, model: str | None) -> Teacher:
    from astudent.teacher.embedded import EmbeddedTeacher

    if model not in (None, "embedded"):
        hint = "Take the model out, or set teacher.provider to ollama."
        raise UsageError(f"model {model} is asked for, but the configured teacher is the embedded one", hint)
    return EmbeddedTeacher(config)
