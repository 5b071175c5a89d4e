"""The teacher that a configuration asks for."""

from typing import Any

from astudent.cli import Options
from astudent.errors import UsageError
from astudent.machine import ollama_host
from astudent.settings import Config
from astudent.stage import settings_of
from astudent.teacher.model_id import ModelId, resolve_model_id
from astudent.teacher.prompting import prompts_digest
from astudent.teacher.protocol import Teacher


def build_teacher(config: Config, options: Options) -> Teacher:
    """The teacher of the data stages, ready to be asked.

    UsageError where the model or its server is absent: a teacher is never replaced by another.
    """
    if config.teacher.provider == "embedded":
        return _embedded(config, options.model)
    return ollama_teacher(config, resolve_model_id(options.model, config.teacher.model))


def build_judge(config: Config, model: str | None) -> Teacher:
    """The teacher that `evaluation.teacher` names; `model` is what --teacher-model said."""
    if config.evaluation.teacher == "none":
        raise UsageError("evaluation.teacher is none: there is no judge", "Set it to ollama or embedded.")
    if config.evaluation.teacher == "embedded":
        return _embedded(config, model)
    return ollama_teacher(config, resolve_model_id(model, config.evaluation.teacher_model or config.teacher.model))


def ollama_teacher(config: Config, model: ModelId) -> Teacher:
    """The Ollama teacher on the first configured host, its model checked and its digest read."""
    from astudent.teacher.ollama import OllamaTeacher
    from astudent.teacher.ollama_chat import ChatSettings, OllamaChat

    teacher = config.teacher
    chat = OllamaChat(
        ChatSettings(
            host=ollama_host(teacher.hosts),
            model=model.name,
            think=teacher.think,
            num_ctx=teacher.num_ctx,
            num_predict=teacher.num_predict,
            keep_alive=teacher.keep_alive,
            timeout_seconds=teacher.timeout_seconds,
            patience_seconds=teacher.patience_seconds,
        )
    )
    return OllamaTeacher(chat, config)


def teacher_settings(config: Config, teacher: Teacher) -> dict[str, Any]:
    """What decides a teacher's words, for the record of a run: who it is and how it is asked, not where it runs."""
    identity = {f"teacher.{key}": value for key, value in teacher.identity.model_dump().items()}
    keys = ["dataset_generation.languages"]
    if config.teacher.provider == "embedded":
        keys += ["dataset_generation.typo_rate"]
    else:
        keys += ["teacher.think", "teacher.temperature", "teacher.creative_temperature", "teacher.num_predict"]
        identity["teacher.prompts"] = prompts_digest()
    return settings_of(config, *keys) | identity


def _embedded(config: Config, model: str | None) -> Teacher:
    from astudent.teacher.embedded import EmbeddedTeacher

    if model not in (None, "embedded"):
        hint = "Take the model out, or set teacher.provider to ollama."
        raise UsageError(f"model {model} is asked for, but the configured teacher is the embedded one", hint)
    return EmbeddedTeacher(config)
