"""`pattern` and `patternProperties` in linear time: RE2 in place of Python's backtracking `re`."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import re2
from jsonschema.exceptions import ValidationError

from astudent.errors import RunError

MAX_PATTERN = 1000  # characters; RE2 bounds the memory of what is shorter by itself
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def check(pattern: str) -> None:
    """RunError when the pattern is too long or needs what a linear-time engine cannot do (look-around, references)."""
    hint = "Rewrite the pattern without look-around and back-references, or take it out of the schema."
    if len(pattern) > MAX_PATTERN:
        raise RunError(f"pattern longer than {MAX_PATTERN} characters: {pattern[:40]!r}...", hint)
    try:
        _compiled(pattern)
    except (re2.error, UnicodeEncodeError) as error:
        detail = " ".join(str(error).split())
        raise RunError(f"pattern {pattern[:80]!r} cannot run in linear time: {detail}", hint) from error


def search(pattern: str, text: str) -> bool:
    """Whether the pattern (ECMA 262 in what RE2 shares with it) matches anywhere in the text."""
    try:
        return _compiled(pattern).search(text) is not None
    except UnicodeEncodeError:  # half of a surrogate pair stands for no character
        return _compiled(pattern).search(text.encode("utf-8", "replace").decode()) is not None


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    """ECMA's `\\uXXXX` and `\\/` are put in RE2's spelling."""
    return re2.compile(re.sub(r"\\u([0-9a-fA-F]{4})", r"\\x{\1}", pattern).replace("\\/", "/"), _OPTIONS)


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
