"""What `astudent gate` prints and writes."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from astudent.commands.output import safe
from astudent.errors import RunError
from astudent.json_texts.tables import table
from astudent.jsonl import write_atomic
from astudent.quality.violations import SUSPICIONS, GateReport, Violation

STDOUT = "-"


def write_verdict(report: GateReport, json_file: str | None, html: Path | None, top: int) -> None:
    """The counts and the first `top` findings (0: nothing), and the files. RunError when the verdict is `fail`."""
    if json_file == STDOUT:
        print(json.dumps(report.as_json(), ensure_ascii=sys.stdout.isatty(), allow_nan=False, indent=2))
    else:
        if json_file is not None:
            write_atomic(json_file, json.dumps(report.as_json(), ensure_ascii=False, allow_nan=False, indent=2) + "\n")
        if top:
            print_report(report, top)
    if html is not None:
        from astudent.quality.page import page

        write_atomic(html, page(report))
    if report.total:
        raise RunError(f"{report.total} violations in {report.rows} rows of {report.file}")


def print_report(report: GateReport, top: int) -> None:
    """Rows by split, findings by kind, then the first of them."""
    splits = ", ".join(f"{split}: {count}" for split, count in sorted(report.counts.get("split", {}).items()))
    print(f"{report.verdict}: {report.rows} rows ({splits or 'none could be read'})")
    if report.by_kind:
        rows = [[kind, _what(kind), str(count)] for kind, count in sorted(report.by_kind.items(), key=_order)]
        print("\n" + table(["kind", "is a", "count"], rows))
    _print_first("violations", report.named, report.total, top)
    _print_first("suspicions", report.suspicions, report.by_kind.total() - report.total, top)
    for note in report.notes:
        print(safe(note))


def _what(kind: str) -> str:
    return "suspicion" if kind in SUSPICIONS else "violation"


def _order(counted: tuple[str, int]) -> tuple[bool, int, str]:
    return counted[0] in SUSPICIONS, -counted[1], counted[0]


def _print_first(what: str, findings: Sequence[Violation], count: int, top: int) -> None:
    if findings:
        shown = findings[:top]
        print(f"\n{what}" + (f", {len(shown)} of {count}" if len(shown) < count else ""))
        for finding in shown:
            print(safe(" ".join(finding.one_line().split())))
