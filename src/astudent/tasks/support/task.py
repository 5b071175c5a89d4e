"""The support task as the stages see it."""

from collections.abc import Iterator, Mapping

from astudent.evaluation.results import ResultRow
from astudent.records import DatasetRow
from astudent.tasks.support.figures import outcomes
from astudent.tasks.support.rows import is_held_out, rows
from astudent.tasks.support.schema import VERSION


class SupportTask:
    """Customers' messages; see docs/tasks_support.md."""

    name = "support"
    version = VERSION

    def rows(self, sizes: Mapping[str, int], seed: int) -> Iterator[DatasetRow]:
        """Training rows, then rows for alignment, then the adversarial test."""
        return rows(seed, train=sizes["train"], test=sizes["test_seen"], align=sizes["align"])

    def groups(self, row: ResultRow) -> Iterator[tuple[str, str]]:
        """By trap (`plain`: none), and by whether the request is worded by a template that training never shows."""
        yield "trap", row.trap or "plain"
        yield "wording", "held out" if is_held_out(row.query_id) else "trained on"

    def outcomes(self, row: ResultRow) -> dict[str, bool]:
        """Valid JSON, schema compliance, intents, and the whole answer."""
        return outcomes(row)


TASK = SupportTask()
