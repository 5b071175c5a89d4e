"""What `astudent diff` prints."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from astudent.commands.output import print_object
from astudent.errors import RunError
from astudent.json_texts.compare import Difference, PathTally, SetCounts, Tally, diff
from astudent.json_texts.schema_file import read_schema
from astudent.json_texts.source import Text
from astudent.json_texts.tables import share, table
from astudent.report.markdown import visible
from astudent.roles import GrammarRole

COLUMNS = ["values", "equal", "changed", "only in B", "only in A", "differing"]
Row = tuple[tuple[str, GrammarRole], PathTally]


def print_difference(
    a: Sequence[Text],
    b: Sequence[Text],
    schema: Path | None,
    examples: int,
    top: int,
    fail_above: float | None,
    as_json: bool,
) -> None:
    """The tables, or one object. RunError when nothing could be aligned, or a role differs by more than `fail_above`."""
    found = diff(a, b, read_schema(schema), examples)
    if as_json:
        print_object(_object(found))
    else:
        _show(found, top)
    if not found.aligned:
        raise RunError("no text of A has its counterpart in B", "Give both the same ids, or none.")
    over = found.above(fail_above) if fail_above is not None else []
    if over:
        shares = ", ".join(f"{role} {share(found.roles[role].share)}" for role in over)
        raise RunError(f"more than {share(fail_above or 0)} of the values differ: {shares}")


def _show(found: Difference, top: int) -> None:
    left = (
        f"; not aligned: {found.only_in_a} of A, {found.only_in_b} of B" if found.only_in_a or found.only_in_b else ""
    )
    print(f"{found.aligned} pairs aligned by {found.aligned_by}{left}\n")
    print(table(["set", "texts", "JSON", "valid"], [_set_row("A", found.a), _set_row("B", found.b)]) + "\n")
    print(table(["role", *COLUMNS], [[role, *_cells(tally)] for role, tally in found.roles.items()]))
    changed = _most_changed(found)
    shown = changed[:top] if top else changed
    if shown:
        print("\n" + table(["path", "role", *COLUMNS, "shift"], [_path_row(row) for row in shown]))
    if len(changed) > len(shown):
        print(f"... and {len(changed) - len(shown)} more paths (--top 0 lists all)")
    for _, tally in shown:
        for each in tally.examples:
            print(visible(f"{each.a_where} {each.b_where} {each.at}: {each.a or '(none)'} -> {each.b or '(none)'}"))


def _most_changed(found: Difference) -> list[Row]:
    rows = [row for row in found.paths.items() if row[1].share]
    return sorted(rows, key=lambda row: (row[1].equal - row[1].values, row[0]))


def _set_row(name: str, counts: SetCounts) -> list[str]:
    return [name, str(counts.texts), str(counts.parsed), "-" if counts.valid is None else str(counts.valid)]


def _path_row(row: Row) -> list[str]:
    (path, role), tally = row
    shift = "-" if tally.shift is None else f"{tally.shift:.2f}"
    return [path or "(whole)", role, *_cells(tally), shift]


def _cells(tally: Tally) -> list[str]:
    counts = (tally.values, tally.equal, tally.changed, tally.missing_in_a, tally.missing_in_b)
    return [*map(str, counts), share(tally.share)]


def _object(found: Difference) -> dict[str, Any]:
    return {
        "aligned_by": found.aligned_by,
        "aligned": found.aligned,
        "only_in_a": found.only_in_a,
        "only_in_b": found.only_in_b,
        "a": asdict(found.a),
        "b": asdict(found.b),
        "roles": {role: _numbers(tally) for role, tally in found.roles.items()},
        "paths": [
            {"path": path, "role": role, **_numbers(tally), "shift": tally.shift}
            | {"examples": [asdict(example) for example in tally.examples]}
            for (path, role), tally in sorted(found.paths.items())
        ],
    }


def _numbers(tally: Tally) -> dict[str, float]:
    return {
        "values": tally.values,
        "equal": tally.equal,
        "changed": tally.changed,
        "missing_in_a": tally.missing_in_a,
        "missing_in_b": tally.missing_in_b,
        "share": tally.share,
    }
