"""The documents task as the stages see it."""

from collections.abc import Iterator, Mapping

from astudent.evaluation.results import ResultRow
from astudent.records import DatasetRow
from astudent.tasks.documents import VERSION, rows
from astudent.tasks.documents.figures import outcomes


class DocumentsTask:
    """Business documents under 24 schemas; see docs/tasks_documents.md."""

    name = "documents"
    version = VERSION

    def rows(self, sizes: Mapping[str, int], seed: int) -> Iterator[DatasetRow]:
        """Schema after schema; `sizes` are rows under each of them."""
        return rows(seed, sizes["train"], sizes["test_seen"], sizes["align"])

    def groups(self, row: ResultRow) -> Iterator[tuple[str, str]]:
        """By grade and by kind of document."""
        yield "grade", row.grade or "none"
        yield "document", row.domain_id

    def outcomes(self, row: ResultRow) -> dict[str, bool]:
        """JSONExact, schema compliance, and the declared arithmetic."""
        return outcomes(row)


TASK = DocumentsTask()
