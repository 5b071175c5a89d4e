"""`astudent import`: files of foreign records + a mapping -> a dataset file, as stage 04 writes it. Rows stream through."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from astudent.errors import RunError, UsageError
from astudent.importing.lookups import Lookups
from astudent.importing.mapping import read_mapping
from astudent.importing.rows import Rejection, RowMaker
from astudent.importing.sources import Record, read_records
from astudent.jsonl import Row, RowWriter, write_atomic
from astudent.records import DatasetRow
from astudent.report.markdown import visible

MAX_REASON = 300  # characters


@dataclass
class Tally:
    """What became of the records: rows by split, items that the mapping does not take, and rejects."""

    records: int = 0
    rows: int = 0
    left_out: int = 0
    rejected: int = 0
    splits: Counter[str] = field(default_factory=Counter[str])

    def __str__(self) -> str:
        splits = ", ".join(f"{split} {count}" for split, count in sorted(self.splits.items()))
        rows = f"{self.rows:,} rows" + (f" ({splits})" if splits else "")
        return f"{rows} from {self.records:,} records; {self.left_out:,} left out by the mapping; {self.rejected:,} rejected"


class Rejects:
    """Names what was rejected: all of it in a file, where one is given, and the first ones on the terminal."""

    def __init__(self, path: Path | None, shown: int) -> None:
        self._shown = shown
        if path is not None:
            write_atomic(path, "")
        self._writer = RowWriter(path) if path is not None else None

    def add(self, number: int, record: Record, rejection: Rejection) -> None:
        """One more, the `number`th."""
        reason = rejection.reason[:MAX_REASON]
        if number <= self._shown:
            item = f" ({rejection.item})" if rejection.item else ""
            print(visible(f"{record.file}:{record.line}{item}: {reason}"), flush=True)
        if self._writer is not None:
            reason = reason.encode(errors="replace").decode()  # it may quote half of a surrogate pair
            self._writer.append({"file": record.file, "line": record.line, "item": rejection.item, "reason": reason})

    def close(self) -> None:
        """Closes the file."""
        if self._writer is not None:
            self._writer.close()


def second_files(named: Sequence[str]) -> dict[str, Path]:
    """NAME=FILE -> the files by name. UsageError for another form, and for a name that comes twice."""
    files: dict[str, Path] = {}
    for each in named:
        name, is_given, file = each.partition("=")
        if not is_given or not file or name in files:
            raise UsageError(
                f"--with {each}: no NAME=FILE, or a name that was given", "Write --with service=schema.json."
            )
        files[name] = Path(file)
    return files


def import_rows(
    mapping_file: Path,
    files: Sequence[Path],
    out: Path,
    second_files: Mapping[str, Path],
    rejects_file: Path | None = None,
    allow_rejects: bool = False,
    shown: int = 20,
) -> Tally:
    """Writes the rows of all files to `out`. RunError where a record was rejected, unless that is allowed, or none is left;
    `out` is then as it was."""
    mapping, digest = read_mapping(mapping_file)
    maker = RowMaker(mapping, Lookups(mapping.lookups, second_files), digest)
    tally, rejects = Tally(), Rejects(rejects_file, shown)
    try:
        write_atomic(out, _rows(files, maker, tally, rejects, allow_rejects))
    finally:
        rejects.close()
    return tally


def _rows(files: Sequence[Path], maker: RowMaker, tally: Tally, rejects: Rejects, allow_rejects: bool) -> Iterator[Row]:
    for record in (record for file in files for record in read_records(file)):
        tally.records += 1
        for made in [Rejection(record.reason)] if record.content is None else maker.rows(record.content):
            if isinstance(made, DatasetRow):
                tally.rows += 1
                tally.splits[made.split] += 1
                yield made
            else:
                tally.rejected += 1
                rejects.add(tally.rejected, record, made)
        tally.left_out = maker.left_out
    _refuse(tally, allow_rejects)


def _refuse(tally: Tally, allow_rejects: bool) -> None:
    """Ends the writing before the file takes its name."""
    if tally.rejected and not allow_rejects:
        raise RunError(str(tally), "Mend the mapping, or give --allow-rejects; nothing was written.")
    if not tally.rows:
        raise RunError(str(tally), "Nothing was written: look at the mapping's only and each.")
