"""Regular expressions of schemas and flags, which strangers write: linear time, or a time limit."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import regex
from pydantic_core import SchemaError as BadPattern
from pydantic_core import SchemaValidator, core_schema

from astudent.roles.limits import LimitError

_SECONDS = 0.2  # for what only a backtracking engine can do: look-around, back-references, and saying where a match is
SpanFinder = Callable[[str], Iterator[tuple[int, int]]]


@lru_cache(maxsize=4096)
def searcher(pattern: str) -> Callable[[str], bool]:
    """`found(text)` for an unanchored search, as JSON Schema means `pattern`.

    Rust's linear-time engine (it comes with pydantic) reads nearly all; look-around and back-references go to a
    backtracking engine under a time limit: LimitError beyond it. Raises ValueError when no engine reads the pattern.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, strict=True)).isinstance_python
    except BadPattern:
        return _backtracking(pattern)


def _backtracking(pattern: str) -> Callable[[str], bool]:
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(str(error)) from None

    def found(text: str) -> bool:
        try:
            return compiled.search(text, timeout=_SECONDS) is not None
        except TimeoutError:
            raise LimitError(f"the pattern {pattern!r} needs more than {_SECONDS} s on one string") from None

    return found


def span_finder(pattern: str) -> SpanFinder:
    """`find(text)`: where the pattern matches, or, where it has groups, what they match; (start, end) in characters.

    Raises ValueError when the pattern cannot be read; `find` raises LimitError when one text takes too long.
    """
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(str(error)) from None
    groups = range(1, compiled.groups + 1) if compiled.groups else (0,)

    def find(text: str) -> Iterator[tuple[int, int]]:
        try:
            for match in compiled.finditer(text, timeout=_SECONDS):
                yield from (match.span(group) for group in groups if match.start(group) >= 0)
        except TimeoutError:
            raise LimitError(f"the pattern {pattern!r} needs more than {_SECONDS} s on one text") from None

    return find
