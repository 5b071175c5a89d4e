"""Functions with parameters -> the schema of the calls of them; calls as public sets write them -> {"calls": [...]}."""

import ast
import contextlib
import json
import re
import warnings
from typing import Any, Literal

from astudent.importing.parameter_types import parameters_schema
from astudent.importing.scope import Json, RejectedError, kind, parsed, shown
from astudent.language.serialise import MAX_CHARACTERS

MAX_FUNCTIONS = 200
TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
OMITTED = ""  # among acceptable values: the parameter may be left out
Form = Literal["plain", "acceptable", "tagged"]


def calls_schema(found: Json) -> dict[str, Json]:
    """The schema of a list of calls of these functions, each {"name": ..., "arguments": {...}}.

    A function is {"name", "description", "parameters"}, or that under "function"; the list may stand as JSON text.
    """
    calls = [_call_schema(function) for function in _functions(found)]
    names = [call["properties"]["name"]["const"] for call in calls]
    if len(set(names)) < len(names):
        raise RejectedError("two functions of one name")
    items = calls[0] if len(calls) == 1 else {"anyOf": calls}
    return {
        "type": "object",
        "properties": {"calls": {"type": "array", "items": items}},
        "required": ["calls"],
        "additionalProperties": False,
    }


def calls_answer(found: Json, form: Form, schema: Json) -> dict[str, Json]:
    """The calls under that schema. Forms:

    - plain: [{"name", "arguments"}], also under "function", arguments also as JSON text, the list too
    - acceptable: [{NAME: {PARAMETER: [acceptable values]}}], of which the first is taken
    - tagged: a text with <tool_call>{"name", "arguments"}</tool_call> for each call
    """
    if form == "tagged":
        return {"calls": [_plain_call(_loose(text)) for text in _tagged(found)]}
    listed = parsed(found) if isinstance(found, str) else found
    if not isinstance(listed, list):
        raise RejectedError(f"{kind(listed)} where a list of calls is needed")
    if form == "plain":
        return {"calls": [_plain_call(call) for call in listed]}
    return {"calls": [_acceptable_call(call, schema) for call in listed]}


def _functions(found: Json) -> list[dict[str, Json]]:
    listed = parsed(found) if isinstance(found, str) else found
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_FUNCTIONS:
        raise RejectedError(f"{kind(listed)} where 1 to {MAX_FUNCTIONS} functions are needed")
    return [_inner(function) for function in listed]


def _inner(function: Json) -> dict[str, Json]:
    inner = function.get("function", function) if isinstance(function, dict) else function
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str) or not inner["name"]:
        raise RejectedError(f"no function with a name: {shown(function)}")
    return inner


def _call_schema(function: dict[str, Json]) -> dict[str, Json]:
    arguments = parameters_schema(function.get("parameters") or {})
    said = {"description": function["description"]} if isinstance(function.get("description"), str) else {}
    return {
        "type": "object",
        **said,
        "properties": {"name": {"const": function["name"]}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _plain_call(call: Json) -> dict[str, Json]:
    inner = _inner(call)
    arguments = inner.get("arguments", inner.get("parameters"))
    arguments = parsed(arguments) if isinstance(arguments, str) else arguments
    if not isinstance(arguments, dict | None):
        raise RejectedError(f"{kind(arguments)} where arguments are needed")
    return {"name": inner["name"], "arguments": arguments or {}}


def _tagged(found: Json) -> list[str]:
    if not isinstance(found, str):
        raise RejectedError(f"{kind(found)} where a text with calls is needed")
    texts = TAGGED.findall(found)
    if not texts:
        raise RejectedError("a text without a <tool_call>")
    return texts


def _loose(text: str) -> Json:
    """A call as JSON, or as Python writes a dict (`{'name': ...}`)."""
    if len(text) > MAX_CHARACTERS:
        raise RejectedError(f"a call of more than {MAX_CHARACTERS:,} characters")
    with contextlib.suppress(RejectedError):
        return parsed(text)
    try:
        with warnings.catch_warnings(action="ignore"):  # of Python, about escapes in the text
            return json.loads(json.dumps(ast.literal_eval(text.strip())))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise RejectedError(f"a call that is neither JSON nor a Python dict: {shown(text)}") from None


def _acceptable_call(call: Json, schema: Json) -> dict[str, Json]:
    if not isinstance(call, dict) or len(call) != 1:
        raise RejectedError(f"no call {{NAME: {{...}}}}: {shown(call)}")
    [(name, parameters)] = call.items()
    if not isinstance(parameters, dict):
        raise RejectedError(f"{kind(parameters)} where the parameters of {shown(name)} are needed")
    return {"name": name, "arguments": _members(parameters, _arguments_of(name, schema))}


def _arguments_of(name: str, schema: Json) -> dict[str, Json]:
    items = schema["properties"]["calls"]["items"]
    for call in items.get("anyOf", [items]):
        if call["properties"]["name"]["const"] == name:
            return call["properties"]["arguments"]
    raise RejectedError(f"a call of {shown(name)}, which is no function of the row")


def _members(parameters: dict[str, Json], schema: dict[str, Json]) -> dict[str, Json]:
    """The first acceptable value of each parameter; one that may be left out, and says so first, is left out."""
    chosen: dict[str, Json] = {}
    for name, values in parameters.items():
        node: dict[str, Any] = schema.get("properties", {}).get(name, {})
        if not isinstance(values, list) or not values:
            raise RejectedError(f"no acceptable value of {shown(name)}")
        if values[0] != OMITTED or name in schema.get("required", []):
            chosen[name] = _value(values[0], node)
    return chosen


def _value(value: Json, node: dict[str, Json]) -> Json:
    """An object's members have acceptable values of their own, wherever the schema has members for them."""
    if isinstance(value, dict) and "properties" in node:
        return _members(value, node)
    if isinstance(value, list) and "properties" in node.get("items", {}):
        return [_value(item, node["items"]) for item in value]
    return value
