"""The gate: one pass over rows of schema, request and AST that refuses what nothing may train on.

Each row meets every check once; what concerns several rows is looked up in an index on the disk at the end, so that
memory stays bounded however many rows there are. docs/gate.md says what each kind of violation is.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from astudent.progress import Bar
from astudent.quality.check import Check, GateOptions, GateRow, Place
from astudent.quality.distribution import Distribution
from astudent.quality.duplicates import Duplicates
from astudent.quality.groundedness import Groundedness
from astudent.quality.index import Index
from astudent.quality.invariance import Invariance
from astudent.quality.leakage import Leakage
from astudent.quality.lengths import Lengths
from astudent.quality.rows import RowReader
from astudent.quality.text_language import TextLanguage
from astudent.quality.validity import Validity
from astudent.quality.violations import GateReport, Violation


def run_gate(files: Sequence[Path | str], options: GateOptions, *, quiet: bool = True) -> GateReport:
    """Checks all rows of all files as one data set. Never raises for what a row holds; UsageError for a file that is
    not there. Unless `quiet`, progress is shown."""
    names = [str(file) for file in files]
    report = GateReport(", ".join(names))
    with Index() as index:
        checks = checks_of(index, options, report.file)
        reader = RowReader(options)
        with _progress(names, reader, quiet) as show:
            for row in reader.read(names):
                report.rows += 1
                for finding in [row] if isinstance(row, Violation) else _findings(row, index, checks, report):
                    report.add(finding)
                show()
        for finding in (finding for check in checks for finding in check.finish()):
            report.add(finding)
    report.notes.extend(note for check in checks for note in check.notes())
    if options.needs_training and not report.counts.get("split", {}).get("train"):
        report.add(Place(report.file, 0).finding("no_training_rows", "no row of split train", "one"))
    report.sort()
    return report


def checks_of(index: Index, options: GateOptions, file: str) -> list[Check]:
    """The checks that the options ask for, in the order in which they speak at the end."""
    checks: list[Check] = [Validity(), Invariance(), TextLanguage()]
    if options.max_tokens is not None:
        checks.append(Lengths(options.max_tokens, options.schema_text))
    if options.grounded:
        checks.append(Groundedness())
    checks += [
        Duplicates(index, options.near_duplicate_similarity),
        Leakage(index, options.apart),
        Distribution(file),
    ]
    return checks


def _findings(row: GateRow, index: Index, checks: Sequence[Check], report: GateReport) -> Iterator[Violation]:
    index.add(row)
    is_valid = str(row.is_valid).lower()
    report.count({"split": row.split or "-", "language": row.language or "-", "is_valid": is_valid})
    for check in checks:
        yield from check.row(row)


@contextmanager
def _progress(files: Sequence[str], reader: RowReader, quiet: bool) -> Iterator[Callable[[], None]]:
    """A function that shows how far the reader is, to be called after each row."""
    if quiet:
        yield lambda: None
        return
    sizes = [Path(file).stat().st_size for file in files if Path(file).is_file()]
    bar = Bar("checking", max(1, sum(sizes)))
    try:
        yield lambda: bar.show(reader.bytes_read, f"checking: {reader.rows:,} rows") if reader.rows % 512 == 0 else None
    finally:
        bar.close()
