"""Rows against the token budget, by their characters: the trainer counts the tokens."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from astudent.quality.check import Check, GateRow
from astudent.quality.violations import Violation

MOST_CHARACTERS_A_TOKEN = 6
"""More than any tokenizer packs into a token of JSON and prose on average: beyond it a row is surely too long."""
FEWEST_CHARACTERS_A_TOKEN = 2.5
"""Fewer than tokenizers of a large vocabulary do: below it a row surely fits, between the two it perhaps does."""


class Lengths(Check):
    """Schema, request and AST together; `schema_text` is the schema as the prompt has it (None: as JSON without spaces)."""

    def __init__(self, max_tokens: int, schema_text: Callable[[dict[str, Any]], str] | None) -> None:
        self._max_tokens, self._schema_text = max_tokens, schema_text

    def row(self, row: GateRow) -> Iterator[Violation]:
        """A row that is surely, or perhaps, over the budget."""
        answer = len(json.dumps(row.ast, ensure_ascii=False, separators=(",", ":")))
        characters = self._of_schema(row) + len(row.query) + answer
        expected = f"at most {self._max_tokens} tokens"
        if characters > self._max_tokens * MOST_CHARACTERS_A_TOKEN:
            yield row.place.finding("over_long", f"{characters} characters", expected)
        elif characters > self._max_tokens * FEWEST_CHARACTERS_A_TOKEN:
            yield row.place.finding("perhaps_over_long", f"{characters} characters", expected)

    def _of_schema(self, row: GateRow) -> int:
        if self._schema_text is None:
            return row.schema.characters
        render = self._schema_text
        return row.schema.once("characters", lambda schema: len(render(schema)))
