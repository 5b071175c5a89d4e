"""Regular expressions of schemas, which strangers write: linear time, or a time limit."""

from collections.abc import Callable
from functools import lru_cache

import regex
from pydantic_core import SchemaError as BadPattern
from pydantic_core import SchemaValidator, core_schema

from astudent.roles.limits import LimitError

_SECONDS = 0.2  # for the few patterns (look-around, back-references) that only a backtracking engine can read


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
