"""Rows that should not stand beside each other: ids twice, requests twice, one request with two meanings, negatives
without their positive; and near-duplicates, as suspicions."""

from collections.abc import Iterator

from astudent.quality.check import Check, Place
from astudent.quality.index import Index
from astudent.quality.near import Text, near_duplicates
from astudent.quality.violations import Violation

SAME_ID = """
    SELECT n, first_value(n) OVER (PARTITION BY file, id ORDER BY n), 0 FROM rows WHERE id <> '-'
    QUALIFY row_number() OVER (PARTITION BY file, id ORDER BY n) > 1
"""
SAME_REQUEST = """
    SELECT n, first, CASE WHEN ast <> first_ast THEN 'label_conflict' ELSE 'duplicate' END FROM (
        SELECT n, ast, side, first_value(n) OVER w AS first, first_value(ast) OVER w AS first_ast,
            first_value(side) OVER w AS first_side
        FROM rows WHERE is_sound WINDOW w AS (PARTITION BY schema, request ORDER BY n)
    ) WHERE n <> first AND (ast <> first_ast OR side IS NOT DISTINCT FROM first_side)
"""
"""An equal row of another side is a leak, no duplicate."""
ORPHANS = """
    SELECT file, line, id, positive FROM rows negative WHERE NOT is_valid AND NOT EXISTS (
        SELECT 1 FROM rows WHERE is_valid AND id = negative.positive AND file = negative.file
            AND split IS NOT DISTINCT FROM negative.split AND n < negative.n
    ) ORDER BY n
"""
ALIKE = """
    SELECT hash(schema, ast, side), n, text, file, line, id FROM rows WHERE is_sound
    QUALIFY count(*) OVER (PARTITION BY schema, ast, side) > 1 ORDER BY 1, 2
"""


class Duplicates(Check):
    """Rows of one schema and side that say the same."""

    def __init__(self, index: Index, near: float) -> None:
        self._index, self._near = index, near

    def finish(self) -> Iterator[Violation]:
        """Ids, requests, orphans, near-duplicates."""
        for place, first, _ in self._index.places(SAME_ID):
            yield place.finding("duplicate_id", f"the id of {first.named}", "one row for each id of a file")
        for place, first, kind in self._index.places(SAME_REQUEST):
            meaning = " with another meaning" if kind == "label_conflict" else ""
            found = f"the request of {first.named}{meaning}"
            yield place.finding(kind, found, "one row for each schema and request")
        for *place, positive in self._index.select(ORPHANS):
            found = f"positive_id {positive}"
            yield Place(*place).finding("orphan_negative", found, "a positive of its split that stands before it")
        yield from self._near_duplicates()

    def _near_duplicates(self) -> Iterator[Violation]:
        texts = ((group, Text(text, Place(*place), "")) for group, _, text, *place in self._index.select(ALIKE))
        for text, earlier, alike in near_duplicates(texts, self._near):
            found = f"the AST and {alike:.0%} of the words of {earlier.place.named}"
            yield text.place.finding("near_duplicate", found, "other words")
