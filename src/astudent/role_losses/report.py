"""What role losses say: a table, regressions, the tokens that got worst; as text, JSON or one HTML page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from astudent.json_texts.tables import table
from astudent.role_losses.cells import HEADER, cells, change
from astudent.role_losses.comparison import RoleComparison
from astudent.role_losses.measured import Setup, WorstToken
from astudent.roles.regression import LEAST_CHANGE
from astudent.roles.role import GrammarRole


@dataclass(frozen=True)
class RoleReport:
    """Teacher-forced losses by grammar role, of a base model and of a checkpoint of it.

    `comparisons` are the roles that occur, in GrammarRole's order; `worst` holds for each role the tokens whose loss
    rose the most (without a checkpoint: is the highest), one of an example. `print(report)` shows the table.
    """

    comparisons: Sequence[RoleComparison]
    total: RoleComparison
    worst: Mapping[GrammarRole, Sequence[WorstToken]]
    setup: Setup

    @property
    def regressions(self) -> list[RoleComparison]:
        """The roles whose loss rose by more than the threshold (and by LEAST_CHANGE)."""
        return [each for each in self.comparisons if each.status == "regressed"]

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for a file."""
        return {
            **asdict(self.setup),
            "threshold_pct": 100 * self.total.threshold,
            "least_change": LEAST_CHANGE,
            "comparisons": [each.as_json() for each in self.comparisons],
            "total": self.total.as_json(),
            "regressions": [str(each.role) for each in self.regressions],
            "worst": {str(role): [asdict(token) for token in tokens] for role, tokens in self.worst.items()},
        }

    def as_html(self) -> str:
        """One page that needs nothing else."""
        from astudent.role_losses.page import page  # here, since it draws with matplotlib

        return page(self.comparisons, self.total, self.worst, self.setup, self.verdict())

    def rows(self) -> list[list[str]]:
        """The table's cells below HEADER, TOTAL last."""
        return [cells(each) for each in [*self.comparisons, self.total]]

    def verdict(self) -> str:
        """One line: which roles regressed, or that none did."""
        threshold = f"{100 * self.total.threshold:g}%"
        if self.setup.checkpoint is None:
            return "The baseline alone: nothing to compare it with."
        named = ", ".join(f"{each.role} ({change(each)})" for each in self.regressions)
        if not named:
            return f"No role regressed by more than {threshold}."
        return f"WARNING: regressed by more than {threshold}: {named}"

    def __str__(self) -> str:
        return f"{table(HEADER, self.rows())}\n\n{self.verdict()}"
