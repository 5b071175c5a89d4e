"""JSON Pointers (RFC 6901): the value that stands at a place."""

from typing import Any

MISSING: Any = object()
"""What `at_pointer` gives where nothing stands at the place; no JSON value is it."""


def at_pointer(value: Any, pointer: str) -> Any:
    """The value at `/a/0/b` ("" is the whole), or MISSING."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and key.isdecimal() and len(key) < 19 and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return MISSING
    return value
