"""What of a schema a grammar can enforce while an answer is decoded (llguidance), and what it leaves to chance.

The grammar is never wider than the schema but for the keywords that it names as left out. It is narrower in two harmless
ways: keys come in the schema's order, and a number is spelled in one form.
"""

import functools
import json
from dataclasses import dataclass
from typing import Any

from astudent.errors import RunError
from astudent.language.schema_limits import check_shape

DEFAULTS = {"whitespace_flexible": False, "lenient": True}
"""`lenient`: a keyword that cannot be enforced is left out of the grammar and named, instead of failing the whole schema."""


@dataclass(frozen=True)
class Enforcement:
    """`left_out`: what the grammar ignores, in llguidance's words. `refused`: why there is no grammar at all (None: there is)."""

    left_out: tuple[str, ...]
    refused: str | None


def grammar_of(schema: dict[str, Any]) -> str:
    """The schema as a grammar for llguidance."""
    from llguidance import LLMatcher

    defaults: Any = DEFAULTS
    return LLMatcher.grammar_from_json_schema(json.dumps(schema), defaults=defaults)


def enforcement_of(schema: dict[str, Any]) -> Enforcement:
    """What a grammar can do with the schema; a schema beyond the limits is refused like one that has none."""
    try:
        check_shape(schema)
    except RunError as error:
        return Enforcement((), error.message)
    return _enforcement(json.dumps(schema, sort_keys=True))


@functools.lru_cache(maxsize=4096)
def _enforcement(text: str) -> Enforcement:
    from llguidance import LLMatcher

    is_refused, messages = LLMatcher.validate_grammar_with_warnings(grammar_of(json.loads(text)))
    lines = tuple(dict.fromkeys(_first_line(message) for message in messages))
    return Enforcement((), lines[0] if lines else "no reason given") if is_refused else Enforcement(lines, None)


def _first_line(message: str) -> str:
    """What is wrong, without the picture of where: an error of a pattern comes in several lines, the last of which says it."""
    lines = message.strip().splitlines() or [""]
    return (lines[-1] if lines[-1].startswith("error: ") else lines[0]).removeprefix("error: ")[:160]
