"""The gate's report as one HTML page; every text in it is escaped."""

from collections.abc import Iterator, Sequence

from astudent.quality.violations import SUSPICIONS, GateReport, Violation
from astudent.report.document import Block, Bullets, Document, Heading, Paragraph, Table
from astudent.report.formats import number
from astudent.report.html import render_html

SHOWN = 500
"""Findings on the page; the JSON has more."""
HEADER = ["where", "row", "kind", "path", "found", "expected"]


def page(report: GateReport) -> str:
    """The whole page as HTML."""
    document = Document([Heading("Quality gate", 1), Paragraph(_verdict(report), strong=True)])
    if report.by_kind:
        document.add(Heading("By kind"), _by_kind(report))
    document.add(*_findings("Violations", report.named, report.total))
    document.add(*_findings("Suspicions, which fail nothing", report.suspicions, report.by_kind.total() - report.total))
    document.add(*_counts(report))
    if report.notes:
        document.add(Heading("Notes"), Bullets(report.notes))
    return render_html(document)


def _verdict(report: GateReport) -> str:
    return f"{report.verdict}: {number(report.total)} violations in {number(report.rows)} rows of {report.file}"


def _by_kind(report: GateReport) -> Table:
    ordered = sorted(report.by_kind.items(), key=lambda counted: (counted[0] in SUSPICIONS, -counted[1]))
    rows = [[kind, number(count), "suspicion" if kind in SUSPICIONS else "violation"] for kind, count in ordered]
    return Table(["kind", "count", "is a"], rows)


def _findings(title: str, findings: Sequence[Violation], count: int) -> Iterator[Block]:
    if findings:
        shown = findings[:SHOWN]
        yield Heading(title if len(shown) == count else f"{title}: the first {len(shown)} of {number(count)}")
        cells = [[f"{f.file}:{f.line}", f.id, f.kind, f.path, f.found, f.expected] for f in shown]
        yield Table(HEADER, cells, figures=False)


def _counts(report: GateReport) -> Iterator[Block]:
    for name, counter in sorted(report.counts.items()):
        yield Heading(f"Rows by {name}")
        yield Table([name, "rows"], [[value, number(count)] for value, count in sorted(counter.items())])
