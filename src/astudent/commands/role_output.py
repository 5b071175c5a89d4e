"""What `astudent analyze` prints and writes."""

import json
from pathlib import Path

from astudent.errors import RunError
from astudent.jsonl import write_atomic
from astudent.role_losses.report import RoleReport


def write_report(report: RoleReport, output: Path | None, html: Path | None, quiet: bool) -> None:
    """The table unless `quiet`, and the files. RunError that names the regressions."""
    if not quiet:
        print(report)
    if output is not None:
        write_atomic(output, json.dumps(report.as_json(), ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    if html is not None:
        write_atomic(html, report.as_html())
    if report.regressions:
        roles = ", ".join(str(each.role) for each in report.regressions)
        raise RunError(f"regressed by more than {100 * report.total.threshold:g}%: {roles}")
