"""The prompts of a model teacher: text files beside this module with {{name}} places, filled in one pass.

What comes from strangers (requests, candidates, the words of a schema) is inserted as one line of JSON, so that it
cannot end its own quotation and pass for an instruction.
"""

import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from astudent.language.serialise import dumps

_PLACE = re.compile(r"\{\{([a-z_]+)\}\}")
MAX_PROBLEM = 600
_TAG = re.compile(r"<(?=[A-Za-z/|!])")


@cache
def template(name: str) -> str:
    """The text of prompts/NAME.txt."""
    return (files("astudent.teacher") / "prompts" / f"{name}.txt").read_text(encoding="utf-8")


def filled(name: str, **values: str | int) -> str:
    """The prompt with its places filled; inserted text is not searched for places. KeyError for a missing value."""
    return _PLACE.sub(lambda place: str(values[place[1]]), template(name))


def as_data(value: Any) -> str:
    """A value as one line of JSON; `<` is escaped, so that no chat template's control token survives in it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def as_line(problem: str) -> str:
    """A validator's words on one line: they may quote a long reply, and their beginning says what is wrong."""
    return _TAG.sub(r"\\u003c", " ".join(problem.split()))[:MAX_PROBLEM]


def as_schema(schema: dict[str, Any]) -> str:
    """A schema as one line of JSON; `<` is escaped where it begins what may be a control token, but not in `<=`."""
    return _TAG.sub(r"\\u003c", dumps(schema))


def prompt_hash(prompt: str) -> str:
    """16 hex digits that name a rendered prompt."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:16]


def prompts_digest() -> str:
    """16 hex digits that change with any of the prompt files."""
    folder = files("astudent.teacher") / "prompts"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".txt"))
    return prompt_hash("".join(f"{name}\n{template(name.removesuffix('.txt'))}" for name in names))
