"""The baseline that copies the answer of the most similar training request."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from astudent.evaluation.words import words

Ast = dict[str, Any]
Postings = dict[str, tuple[np.ndarray, np.ndarray]]

FEW = 10  # a gram in more rows than this, and in a tenth of all, tells nothing and costs the most time


@dataclass(frozen=True)
class KnownAnswer:
    """One training row, as far as the nearest neighbour needs it."""

    schema_id: str
    query: str
    ast: Ast


class NearestNeighbour:
    """Copies the AST of the most similar training request: cosine of tf-idf over words and character trigrams.

    Where training knows the schema only its rows are asked, so that the copied names are at least the right ones.
    """

    def __init__(self, rows: Sequence[KnownAnswer]) -> None:
        self._rows = rows
        counts = [Counter(grams(row.query)) for row in rows]
        frequency = Counter(gram for count in counts for gram in count)
        most = max(FEW, len(rows) // 10)
        self._weight = {g: 1 + math.log((1 + len(rows)) / (1 + seen)) for g, seen in frequency.items() if seen <= most}
        vectors = [self._vector(count) for count in counts]
        of_schema: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            of_schema[row.schema_id].append(index)
        self._everywhere = postings(vectors, range(len(rows)))
        self._by_schema = {schema: postings(vectors, own) for schema, own in of_schema.items()}

    def answer(self, query: str, schema_id: str) -> Ast | None:
        """The nearest row's AST, the earlier one's on a tie; None when no row shares a gram with the request."""
        known = self._by_schema.get(schema_id, self._everywhere)
        scores = np.zeros(len(self._rows))
        for gram, share in self._vector(Counter(grams(query))).items():
            if gram in known:
                indices, weights = known[gram]
                scores[indices] += share * weights
        return self._rows[int(scores.argmax())].ast if scores.any() else None

    def _vector(self, count: Counter[str]) -> dict[str, float]:
        """Unit-length tf-idf weights; grams that training shows never, or all over, weigh nothing."""
        weights = {gram: times * self._weight[gram] for gram, times in count.items() if gram in self._weight}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {gram: weight / length for gram, weight in weights.items()}


def postings(vectors: Sequence[dict[str, float]], indices: Iterable[int]) -> Postings:
    """For each gram the rows among `indices` that have it, and its weights there."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for index in indices:
        for gram, share in vectors[index].items():
            found[gram].append((index, share))
    return {gram: (np.array([i for i, _ in hits]), np.array([w for _, w in hits])) for gram, hits in found.items()}


def grams(text: str) -> list[str]:
    """Words, and the character trigrams of the padded text."""
    tokens = words(text)
    padded = f" {' '.join(tokens)} "
    return tokens + [f"#{padded[start : start + 3]}" for start in range(len(padded) - 2)]
