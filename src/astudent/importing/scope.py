"""What a row of a mapping can see, and the values that the mapping takes out of it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from astudent.importing.mapping import Request, Turns, Value
from astudent.language.pointers import MISSING, at_pointer

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
PLACEHOLDER = re.compile(r"\{(/[^{}]*)\}")
MAX_QUERY = 20_000  # characters
MAX_SHOWN = 160
Json = Any
Scope = Mapping[str, Json]


class RejectedError(Exception):
    """A row that cannot be mapped; the text says why."""


def need(scope: Scope, place: str) -> Json:
    """The value at a place of the scope. RejectedError where there is none."""
    found = at_pointer(scope, place)
    if found is MISSING:
        raise RejectedError(f"nothing stands at {place}")
    return found


def value_of(value: Value, scope: Scope) -> Json:
    """What the mapping says, out of this scope; MISSING for an optional one that is not there."""
    if value.template is not None:
        return _filled(value.template, scope)
    if value.at is None:
        return value.constant
    found = at_pointer(scope, value.at)
    if found is MISSING:
        if value.has_default or value.optional:
            return value.default if value.has_default else MISSING
        raise RejectedError(f"nothing stands at {value.at}")
    return value.renames.get(found, found) if isinstance(found, str) else found


def text_of(value: Value, scope: Scope) -> str:
    """The value as text: a number or a boolean in JSON's spelling."""
    found = value_of(value, scope)
    if isinstance(found, str):
        return found
    if isinstance(found, bool | int | float):
        return json.dumps(found)
    raise RejectedError(f"{'nothing' if found is MISSING else kind(found)} where a text is needed ({value.at})")


def request_of(request: Request, scope: Scope) -> str:
    """The request. RejectedError where it is empty, too long or no text."""
    text = (_dialogue(request.turns, scope) if request.turns else text_of(request, scope)).strip()
    if not text:
        raise RejectedError("an empty request")
    if len(text) > MAX_QUERY:
        raise RejectedError(f"a request of more than {MAX_QUERY:,} characters")
    if HALF_CHARACTER.search(text):
        raise RejectedError("half a character (of a surrogate pair) in the request")
    return text


def _filled(template: str, scope: Scope) -> str:
    """The template with the texts of its places; braces that hold no place stay."""
    return PLACEHOLDER.sub(lambda found: text_of(Value(at=found[1]), scope), template)


def _dialogue(turns: Turns, scope: Scope) -> str:
    listed = need(scope, turns.at)
    if not isinstance(listed, list):
        raise RejectedError(f"{kind(listed)} where a list of turns is needed ({turns.at})")
    if turns.until is not None:
        listed = listed[: scope["index"][turns.until] + 1]
    lines = []
    for turn in listed[-turns.last :] if turns.last else listed:
        speaker, text = need(turn, turns.speaker), need(turn, turns.text)
        if not isinstance(speaker, str) or not isinstance(text, str):
            raise RejectedError("a turn whose speaker or text is no text")
        if speaker not in turns.speakers:
            raise RejectedError(f"the mapping does not name the speaker {shown(speaker)}")
        before = turns.speakers[speaker]
        lines += [] if before is None else [before + text.strip()]
    return "\n".join(lines)


def as_object(found: Json, what: str) -> dict[str, Json]:
    """An object, or one that stands as JSON text. RejectedError for anything else."""
    value = parsed(found) if isinstance(found, str) else found
    if not isinstance(value, dict):
        raise RejectedError(f"{kind(value)} where {what} is needed")
    return value


def parsed(text: str) -> Json:
    """The JSON value of a text. RejectedError where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RejectedError(f"not JSON: {error} in {shown(text)}") from None


def kind(value: Json) -> str:
    """What a JSON value is, in words."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return kinds.get(type(value), "null")


def shown(value: Json) -> str:
    """A value for a message, cut short."""
    text = repr(value[:MAX_SHOWN]) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def read_as[M: BaseModel](model: type[M], found: Json, what: str) -> M:
    """The value as a record; members that the record does not know are passed over. RejectedError names what is wrong."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RejectedError(f"not {what}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
