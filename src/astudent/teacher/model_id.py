"""Which model the teacher is: the flag, then LLM_MODEL, then .llmrc, then the configuration's."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from astudent.errors import UsageError

Source = Literal["--model", "LLM_MODEL", ".llmrc", "configuration"]


@dataclass(frozen=True)
class ModelId:
    """A model's name and who named it. One that a person named is never replaced by another."""

    name: str
    source: Source

    @property
    def is_named(self) -> bool:
        """Whether a person asked for it, rather than the configuration's default."""
        return self.source != "configuration"


def resolve_model_id(
    flag: str | None, configured: str, *, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> ModelId:
    """The teacher's model: `flag`, else LLM_MODEL, else the one line of `.llmrc` in `folder`, else `configured`."""
    environment = os.environ if environment is None else environment
    if flag:
        return ModelId(_checked(flag, "--model"), "--model")
    if environment.get("LLM_MODEL", "").strip():
        return ModelId(_checked(environment["LLM_MODEL"], "LLM_MODEL"), "LLM_MODEL")
    from_file = _read_llmrc((folder or Path.cwd()) / ".llmrc")
    if from_file:
        return ModelId(_checked(from_file, ".llmrc"), ".llmrc")
    return ModelId(configured, "configuration")


def _read_llmrc(path: Path) -> str:
    if not path.is_file():
        return ""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(lines) > 1:
        raise UsageError(f"{path}: {len(lines)} lines, expected one model id", "Keep one line, such as gpt-oss:120b.")
    return lines[0] if lines else ""


def _checked(name: str, source: Source) -> str:
    name = name.strip()
    if not name or any(character.isspace() for character in name):
        raise UsageError(f"{name!r} from {source} is no model id", "Write one such as gpt-oss:120b.")
    return name
