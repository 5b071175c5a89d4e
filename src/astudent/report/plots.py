"""The report's plots: learning curves, losses by role, rates of the runs, and rates by kind of request.

Each is drawn twice: as PNG for Markdown, and as SVG that is light or dark with the page around it. matplotlib is imported when the first plot is drawn, so that nothing else pays for it. Colours are Okabe and Ito's,
which stay apart for colour-blind readers; a run keeps its colour through all plots.
"""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astudent.jsonl import write_atomic
from astudent.report.markdown import visible
from astudent.report.schemes import following_scheme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, SOFT, LINE = "#1c2430", "#5b6675", "#d8dde4"
MOST_LABEL = 32  # characters
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", INK, "#b8a000")
RUN_COLOURS = {
    "nearest neighbour": "#9aa5b4",
    "word copying": "#9aa5b4",
    "base": "#5b6675",
    "SFT": "#0072b2",
    "DPO": "#d55e00",
    "control": "#009e73",
}
STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": LINE,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": "#eceff3",
    "legend.frameon": False,
    "savefig.dpi": 144,
    # No time in the file: two equal runs draw equal plots.
    "svg.hashsalt": "astudent",
}


@dataclass(frozen=True)
class Curve:
    """One line: `steps` and `values` of equal length."""

    label: str
    steps: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True)
class RatePoint:
    """A rate with its interval, all between 0 and 1; `samples` is what it was counted on."""

    label: str
    rate: float
    low: float
    high: float
    samples: int


@contextmanager
def figure(path: Path, columns: int, size: tuple[float, float], rows: int = 1) -> Iterator[Any]:
    """Axes, (rows x columns) flattened; saved to `path` as PNG, and beside it as SVG, on leaving. `size` in inches."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        canvas, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
        yield list(axes.flat)
        canvas.savefig(path, metadata={"Software": None})
        canvas.set_layout_engine("none")  # the places are found, and finding them takes the longest
        drawing = io.StringIO()
        canvas.savefig(drawing, format="svg", metadata={"Date": None}, transparent=True)
        write_atomic(path.with_suffix(".svg"), following_scheme(drawing.getvalue()))
        plt.close(canvas)


def plot_losses(path: Path, train: Curve, evaluation: Curve) -> None:
    """Training loss (every logged step, and smoothed) with the validation loss over it; logarithmic."""
    with figure(path, 1, (7.2, 3.6)) as (axes,):
        axes.plot(train.steps, train.values, color="#0072b2", alpha=0.25, linewidth=1)
        axes.plot(train.steps, smoothed(train.values), color="#0072b2", linewidth=1.8, label=train.label)
        if evaluation.steps:
            axes.plot(
                *_xy(evaluation), color="#d55e00", linewidth=1.8, marker="o", markersize=3.5, label=evaluation.label
            )
            _mark_lowest(axes, evaluation)
        _log_axis(axes, "loss (nats per supervised token)")
        axes.set_title("Learning curves")
        axes.legend(loc="upper right")


def plot_roles(path: Path, curves: Sequence[Curve]) -> None:
    """Validation loss of every grammar role over the steps; lines named at their right ends."""
    with figure(path, 1, (7.2, 3.9)) as (axes,):
        for curve, colour in zip(curves, _cycled(len(curves)), strict=True):
            axes.plot(*_xy(curve), color=colour, linewidth=1.7, marker="o", markersize=2.5)
        _log_axis(axes, "loss (nats per token)")
        _name_ends(axes, curves)
        axes.set_title("Validation loss by grammar role")


def plot_variants(path: Path, panels: Mapping[str, Sequence[Curve]]) -> None:
    """Validation losses of variants of a training, one panel for each loss; the runs of one variant share a colour."""
    with figure(path, len(panels), (4.2 * len(panels), 3.6)) as all_axes:
        for axes, (title, curves) in zip(all_axes, panels.items(), strict=True):
            names = list(dict.fromkeys(curve.label for curve in curves))
            for curve in curves:
                place = names.index(curve.label)
                known = "_nolegend_" if curve is not next(c for c in curves if c.label == curve.label) else curve.label
                colour = COLOURS[place % len(COLOURS)]
                axes.plot(*_xy(curve), color=colour, linewidth=1.6, marker="o", markersize=2.5, label=known)
            _log_axis(axes, "validation loss (nats per token)")
            axes.set_title(title)
        all_axes[-1].legend(loc="upper right")


def plot_rates(path: Path, panels: Mapping[str, Sequence[RatePoint]], metric: str) -> None:
    """One panel for each group of samples, one line for each run: rate and 95% interval."""
    runs = max(len(points) for points in panels.values())
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    with figure(path, columns, (3.9 * columns + 0.6, rows * (0.36 * runs + 1.15)), rows) as all_axes:
        for axes, (title, points) in zip(all_axes, panels.items(), strict=False):
            _dots(axes, points, [RUN_COLOURS.get(point.label.split(",")[0], "#cc79a7") for point in points])
            axes.set_title(title)
        for axes in all_axes[len(panels) :]:
            axes.set_axis_off()
        for axes in all_axes[max(0, len(panels) - columns) : len(panels)]:
            axes.set_xlabel(metric)


def plot_slices(path: Path, groups: Mapping[str, Sequence[RatePoint]], metric: str) -> None:
    """One panel for each slice: what the run gets right by language, construct, number of conditions, operator."""
    heights = [max(2, len(points)) for points in groups.values()]
    columns = 2 if len(groups) > 1 else 1
    rows = -(-len(groups) // columns)
    row_heights = [max(heights[row * columns : (row + 1) * columns]) for row in range(rows)]
    size = (4.1 * columns, sum(0.27 * height + 0.85 for height in row_heights))
    with figure(path, columns, size, rows) as all_axes:
        all_axes[0].get_gridspec().set_height_ratios([height + 1.5 for height in row_heights])
        for axes, (title, points) in zip(all_axes, groups.items(), strict=False):
            _dots(axes, points, ["#0072b2"] * len(points))
            axes.set_title(title)
        for axes in all_axes[len(groups) :]:
            axes.set_axis_off()
        for axes in all_axes[max(0, len(groups) - columns) : len(groups)]:
            axes.set_xlabel(metric)


def smoothed(values: Sequence[float], weight: float = 0.7) -> list[float]:
    """Exponential moving average without the bias of its start."""
    result, total, norm = [], 0.0, 0.0
    for value in values:
        total = weight * total + (1 - weight) * value
        norm = weight * norm + (1 - weight)
        result.append(total / norm)
    return result


def _dots(axes: "Axes", points: Sequence[RatePoint], colours: Sequence[str]) -> None:
    """Rate as a dot, interval as a bar, first point on top; rate and count are written beside the axis."""
    places = range(len(points) - 1, -1, -1)
    for place, point, colour in zip(places, points, colours, strict=True):
        axes.plot(
            [point.low, point.high],
            [place, place],
            color=colour,
            linewidth=5,
            alpha=0.28,
            solid_capstyle="butt",
            clip_on=False,
        )
        fill = "white" if point.label.endswith(", constrained") else colour
        axes.plot([point.rate], [place], "o", color=colour, mfc=fill, markersize=5.5, clip_on=False, zorder=3)
        axes.text(1.03, place, f"{point.rate:.0%}", va="center", ha="left", fontsize=8.5, color=INK)
        axes.text(1.21, place, f"n={point.samples}  ", va="center", ha="left", fontsize=7.5, color=SOFT)
    axes.set_yticks(list(places), [_literal(point.label) for point in points], color=INK)
    axes.set_ylim(-0.6, len(points) - 0.4)
    axes.set_xlim(-0.01, 1.01)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25%", "50%", "75%", "100%"])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", zorder=0)
    axes.spines["left"].set_visible(False)


def said(panels: Mapping[str, Sequence[RatePoint]]) -> str:
    """The points in words, for who cannot see them."""
    return " ".join(f"{title}: {', '.join(map(_said, points))}." for title, points in panels.items())


def _said(point: RatePoint) -> str:
    return f"{point.label} {point.rate:.0%} ({100 * point.low:.0f} to {100 * point.high:.0f}, n={point.samples})"


def _literal(label: str) -> str:
    """A label from the data, short, in characters that fonts draw, and never read as a formula."""
    shown = visible(label[:MOST_LABEL]) + ("…" if len(label) > MOST_LABEL else "")
    return shown.replace("$", r"\$")


def _xy(curve: Curve) -> tuple[Sequence[float], Sequence[float]]:
    return curve.steps, curve.values


def _log_axis(axes: "Axes", label: str) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("optimizer step")
    axes.set_ylabel(label)
    axes.grid(axis="y", which="major", zorder=0)


def _mark_lowest(axes: "Axes", curve: Curve) -> None:
    best = min(range(len(curve.values)), key=lambda index: curve.values[index])
    note = f"lowest {curve.values[best]:.3g} at step {curve.steps[best]:.0f}"
    place = {"xytext": (-4, -16), "textcoords": "offset points", "ha": "right", "fontsize": 8.5, "color": "#d55e00"}
    axes.annotate(note, (curve.steps[best], curve.values[best]), **place)


def _cycled(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def _name_ends(axes: "Axes", curves: Sequence[Curve]) -> None:
    """Writes each name at its line's end, pushed apart where lines end close together (on the logarithmic axis)."""
    floor, ceiling = (math.log10(limit) for limit in axes.get_ylim())
    gap, above = (ceiling - floor) * 0.052, math.inf
    ends = [
        (math.log10(max(curve.values[-1], 10**floor)), curve, colour)
        for curve, colour in zip(curves, _cycled(len(curves)), strict=True)
    ]
    lift = max(0.0, gap * len(ends) - (ceiling - floor))
    for height, curve, colour in sorted(ends, key=lambda end: -end[0]):
        above = min(height, above - gap)
        text = f" {curve.label.lower().replace('_', ' ')}  {curve.values[-1]:.3g}"
        axes.annotate(
            text,
            (1.0, 10 ** (above + lift)),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8.5,
            color=colour,
            annotation_clip=False,
        )
