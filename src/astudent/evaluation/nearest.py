"""The baseline that copies the answer of the most similar training request."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from astudent.evaluation.words import words

Ast = dict[str, Any]


@dataclass(frozen=True)
class KnownAnswer:
    """One training row, as far as the nearest neighbour needs it."""

    schema_id: str
    query: str
    ast: Ast


class NearestNeighbour:
    """Copies the AST of the most similar training request: cosine of tf-idf over words and character trigrams.

    Rows of the same schema are asked first, so that on a schema seen in training the copied names are at least its own.
    """

    def __init__(self, rows: Sequence[KnownAnswer]) -> None:
        self._rows = rows
        counts = [Counter(grams(row.query)) for row in rows]
        frequency = Counter(gram for count in counts for gram in count)
        self._weight = {gram: math.log((1 + len(rows)) / (1 + seen)) for gram, seen in frequency.items()}
        self._postings: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
        for index, count in enumerate(counts):
            for gram, share in self._vector(count).items():
                self._postings[rows[index].schema_id][gram].append((index, share))

    def answer(self, query: str, schema_id: str) -> Ast | None:
        """The nearest row's AST; None when there is no row at all. Ties go to the earlier row."""
        if not self._rows:
            return None
        scores: dict[int, float] = defaultdict(float)
        pools = [self._postings[schema_id]] if schema_id in self._postings else list(self._postings.values())
        for gram, share in self._vector(Counter(grams(query))).items():
            for pool in pools:
                for index, weight in pool.get(gram, ()):
                    scores[index] += share * weight
        return self._rows[min(scores, key=lambda index: (-scores[index], index)) if scores else 0].ast

    def _vector(self, count: Counter[str]) -> dict[str, float]:
        """Unit-length tf-idf weights; grams that training never showed, or shows in every row, weigh nothing."""
        weights = {gram: times * self._weight.get(gram, 0.0) for gram, times in count.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {gram: weight / length for gram, weight in weights.items() if weight > 0}


def grams(text: str) -> list[str]:
    """Words, and the character trigrams of the padded text."""
    tokens = words(text)
    padded = f" {' '.join(tokens)} "
    return tokens + [f"#{padded[start : start + 3]}" for start in range(len(padded) - 2)]
