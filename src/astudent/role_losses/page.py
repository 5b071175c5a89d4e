"""A report of role losses as one HTML page: the table, a plot of the losses before and after, the tokens that got worst."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from astudent.report.document import Block, Bullets, Document, Heading, Image, Paragraph, Table
from astudent.report.formats import number
from astudent.report.html import render_html
from astudent.report.plots import COLOURS, INK, figure
from astudent.role_losses.cells import HEADER, cells
from astudent.role_losses.comparison import RoleComparison
from astudent.role_losses.measured import Setup, WorstToken
from astudent.roles.regression import LEAST_CHANGE
from astudent.roles.role import GrammarRole

BEFORE, AFTER = "#5b6675", COLOURS[0]
LEAST_SHOWN = 1e-7
"""Nats below which a loss stands at the logarithmic axis's end."""


def page(
    comparisons: Sequence[RoleComparison],
    total: RoleComparison,
    worst: Mapping[GrammarRole, Sequence[WorstToken]],
    setup: Setup,
    verdict: str,
) -> str:
    """The whole page as HTML; every text in it is escaped."""
    all_of_them = [*comparisons, total]
    with TemporaryDirectory() as folder:
        plot = Path(folder) / "roles.png"
        plot_before_after(plot, all_of_them)
        document = Document([Heading("Loss by grammar role", 1), Paragraph(verdict, strong=True)])
        document.add(
            Table(HEADER, [cells(each) for each in all_of_them]),
            Image(plot, "Loss of each grammar role before and after"),
        )
        document.add(Paragraph(_explanation(total.threshold)), *_worst(worst, setup), Heading("What was measured"))
        document.add(Bullets([f"{name}: {value}" for name, value in vars(setup).items() if value is not None]))
        return render_html(document)


def plot_before_after(path: Path, comparisons: Sequence[RoleComparison]) -> None:
    """A line for each role from the baseline's loss to the fine-tuned one; logarithmic."""
    places = range(len(comparisons) - 1, -1, -1)
    with figure(path, 1, (7.2, 0.34 * len(comparisons) + 1.2)) as (axes,):
        before = [max(each.baseline_loss, LEAST_SHOWN) for each in comparisons]
        if comparisons[-1].finetuned_loss is not None:
            after = [max(each.finetuned_loss or 0, LEAST_SHOWN) for each in comparisons]
            axes.hlines(places, before, after, color=AFTER, alpha=0.28, linewidth=5)
            axes.plot(after, places, "o", color=AFTER, markersize=6, label="fine-tuned", zorder=3)
        axes.plot(before, places, "o", color=BEFORE, mfc="white", markersize=6, label="baseline", zorder=3)
        axes.set_xscale("log")
        axes.set_yticks(list(places), [str(each.role) for each in comparisons], color=INK)
        axes.set_ylim(-0.6, len(comparisons) - 0.4)
        axes.set_xlabel("loss (nats per token)")
        axes.grid(axis="x", zorder=0)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)


def _explanation(threshold: float) -> str:
    return (
        f"Losses are -log p in nats per token of the known answers. A role has improved or regressed when its loss changed by more than {100 * threshold:g}% and "
        f"by more than {LEAST_CHANGE:g} nats. The interval is that of the change, from drawing the examples anew, the same for both models."
    )


def _worst(worst: Mapping[GrammarRole, Sequence[WorstToken]], setup: Setup) -> Iterator[Block]:
    if not worst:
        return
    compared = setup.checkpoint is not None
    yield Heading("Tokens whose loss rose the most" if compared else "Tokens with the highest loss")
    for role, tokens in worst.items():
        yield Heading(str(role), 3)
        header = ["row", "baseline", *(["fine-tuned"] if compared else []), "the token in its answer"]
        yield Table(header, [_token_cells(token) for token in tokens], figures=False)


def _token_cells(token: WorstToken) -> list[str]:
    after = [] if token.finetuned_loss is None else [number(token.finetuned_loss)]
    return [token.where, number(token.baseline_loss), *after, f"{token.before}⟦{token.token}⟧{token.after}"]
