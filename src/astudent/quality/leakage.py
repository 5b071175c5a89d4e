"""What a student is trained on must not come back where it is measured.

- `leak`: in two sides (train, align, val, test), an equal AST and the same text, or nearly.
- `renamed_leak`: the same where one schema is the other with other names.
- `request_leak`, `ast_leak`: an equal request or AST in two sides, whatever the rest; for data sets that promise more.
- `schema_leak`: a schema of `test_unseen` that another split uses.

Sides that are both only measured by (val, test) are not held against each other.
"""

from collections.abc import Iterator

from astudent.quality.check import Check, Place
from astudent.quality.index import Index
from astudent.quality.near import Text, near_across
from astudent.quality.splits import TRAINED, UNSEEN
from astudent.quality.violations import Kind, Violation

LEARNT = f"side IN ({', '.join(repr(side) for side in TRAINED)})"
ACROSS = """
    SELECT {key}, text, side, schema, file, line, id FROM rows WHERE is_sound AND {key} IN (
        SELECT {key} FROM rows WHERE is_sound AND side IS NOT NULL GROUP BY {key}
        HAVING count(DISTINCT side) > 1 AND bool_or({learnt}) {more}
    ) ORDER BY {key}, n
"""
SHARED = """
    SELECT n, first, side FROM (
        SELECT n, side, first_value(n) OVER w AS first, first_value(side) OVER w AS first_side
        FROM rows WHERE is_sound AND side IS NOT NULL WINDOW w AS (PARTITION BY {key} ORDER BY n)
    ) WHERE side <> first_side
"""
UNSEEN_SCHEMAS = """
    SELECT n, CASE WHEN unseen THEN seen_n ELSE unseen_n END, unseen FROM (
        SELECT n, split = '{unseen}' AS unseen,
            min(n) FILTER (split = '{unseen}') OVER w AS unseen_n, min(n) FILTER (split <> '{unseen}') OVER w AS seen_n,
            count(*) FILTER (split = '{unseen}') OVER w AS unseen_rows, count(*) FILTER (split <> '{unseen}') OVER w AS seen_rows
        FROM rows WHERE split IS NOT NULL WINDOW w AS (PARTITION BY schema)
    ) WHERE unseen_n IS NOT NULL AND seen_n IS NOT NULL AND unseen = (unseen_rows <= seen_rows)
"""
"""The rows of the side that has fewer rows of the schema: those are out of place."""


class Leakage(Check):
    """Rows of two sides that should share nothing. `apart`: not even a request or an AST."""

    def __init__(self, index: Index, apart: bool) -> None:
        self._index, self._apart = index, apart

    def finish(self) -> Iterator[Violation]:
        """Leaks of texts, then of requests and ASTs, then of schemas."""
        yield from self._leaks("ast", "leak", renamed=False)
        yield from self._leaks("shape", "renamed_leak", renamed=True)
        if self._apart:
            yield from self._shared("request", "request_leak")
            yield from self._shared("ast", "ast_leak")
        for place, partner, unseen in self._index.places(UNSEEN_SCHEMAS.format(unseen=UNSEEN)):
            found = f"the schema of {partner.named}, which is {'seen in training' if unseen else UNSEEN}"
            yield place.finding("schema_leak", found, f"schemas of {UNSEEN} that no other split uses")

    def _leaks(self, key: str, kind: Kind, renamed: bool) -> Iterator[Violation]:
        more = "AND count(DISTINCT schema) > 1" if renamed else ""
        query = ACROSS.format(key=key, learnt=LEARNT, more=more)
        texts = (
            (group, Text(text, Place(*place), side or "", schema))
            for group, text, side, schema, *place in self._index.select(query)
        )
        for text, trained, alike in near_across(texts, renamed=renamed):
            names = ", with other names" if renamed else ""
            found = f"the AST and {alike:.0%} of the words of {trained.place.named} of {trained.side}{names}"
            yield text.place.finding(kind, found, f"nothing of {trained.side} in {text.side}")

    def _shared(self, key: str, kind: Kind) -> Iterator[Violation]:
        what = "AST" if key == "ast" else key
        for place, first, side in self._index.places(SHARED.format(key=key)):
            yield place.finding(kind, f"the {what} of {first.named}, of another side", f"no {what} of it in {side}")
