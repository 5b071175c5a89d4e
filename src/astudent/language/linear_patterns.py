"""`pattern` and `patternProperties` in linear time: RE2, by way of DuckDB, in place of Python's backtracking `re`."""

import functools
import re
import threading
from collections.abc import Iterator
from typing import Any

import duckdb
from jsonschema.exceptions import ValidationError

from astudent.errors import RunError

MAX_PATTERN = 1000  # characters; RE2 bounds the memory of what is shorter by itself
_local = threading.local()


def check(pattern: str) -> None:
    """RunError when the pattern is too long or needs what a linear-time engine cannot do (look-around, references)."""
    hint = "Rewrite the pattern without look-around and back-references, or take it out of the schema."
    if len(pattern) > MAX_PATTERN:
        raise RunError(f"pattern longer than {MAX_PATTERN} characters: {pattern[:40]!r}...", hint)
    try:
        search(pattern, "")
    except duckdb.Error as error:
        detail = " ".join(str(error).split())
        raise RunError(f"pattern {pattern[:80]!r} cannot run in linear time: {detail}", hint) from error


def search(pattern: str, text: str) -> bool:
    """Whether the pattern (ECMA 262 in what RE2 shares with it) matches anywhere in the text."""
    row = _connection().execute("select regexp_matches($1, $2)", [text, _in_re2(pattern)]).fetchone()
    return bool(row and row[0])


@functools.lru_cache(maxsize=512)
def _in_re2(pattern: str) -> str:
    """ECMA's `\\uXXXX` and `\\/` in RE2's spelling."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", r"\\x{\1}", pattern).replace("\\/", "/")


def _connection() -> duckdb.DuckDBPyConnection:
    if not hasattr(_local, "connection"):
        _local.connection = duckdb.connect(":memory:", config={"threads": 1})
    return _local.connection


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not search(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, subschema in patterns.items():
            for key in [key for key in instance if search(pattern, key)]:
                yield from validator.descend(instance[key], subschema, path=key, schema_path=pattern)


def _additional_properties(validator: Any, extra: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    patterns = schema.get("patternProperties", {})
    known = schema.get("properties", {})
    unknown = [k for k in instance if k not in known and not any(search(pattern, k) for pattern in patterns)]
    if extra is False and unknown:
        yield ValidationError(f"unexpected keys {', '.join(map(repr, unknown))}")
    elif extra is not False:
        for key in unknown:
            yield from validator.descend(instance[key], extra, path=key)


KEYWORDS = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}
