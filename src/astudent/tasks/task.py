"""What a benchmark task is to the stages: rows with known truth, and what an answer to one of them is worth."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from astudent.evaluation.results import ResultRow
from astudent.records import DatasetRow


class Task(Protocol):
    """Rows that Python makes alone, whose texts state every value of their answers. What an answer means is its JSON:
    equal to the known one or not."""

    @property
    def name(self) -> str:
        """As `dataset_generation.task` calls it."""
        ...

    @property
    def version(self) -> str:
        """Of the generator: another one where any row of any seed differs."""
        ...

    def rows(self, sizes: Mapping[str, int], seed: int) -> Iterator[DatasetRow]:
        """The data set of a seed, `sizes` rows of each split; more training rows leave the others as they are."""
        ...

    def groups(self, row: ResultRow) -> Iterator[tuple[str, str]]:
        """(slice, value) pairs that figures of this row stand under, such as a grade or a trap."""
        ...

    def outcomes(self, row: ResultRow) -> dict[str, bool]:
        """Figure -> whether the answer earns it; the same figures for every row. Needs the row's schema."""
        ...
