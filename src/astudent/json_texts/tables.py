"""Rows -> a table in plain text, safe to show: what a stranger's text would do to a terminal is spelled out."""

from collections.abc import Sequence

from astudent.report.markdown import visible

MAX_CELL = 60


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; all but the first aligned right."""
    lines = [[_cell(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(_line(line, widths).rstrip() for line in lines)


def share(number: float) -> str:
    """0.125 as `12.5%`."""
    return f"{number:.1%}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])


def _cell(text: str) -> str:
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= MAX_CELL else shown[: MAX_CELL - 1] + "…"
