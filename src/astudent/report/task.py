"""The part of the report on a benchmark task: its own figures, the runs side by side, by grade or by trap."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from astudent.report import formats
from astudent.report.document import Block, Heading, Paragraph, Table
from astudent.report.runs import EvaluatedRun, Json

Figures = Mapping[str, Any]


def task_figures(runs: Sequence[EvaluatedRun], student: EvaluatedRun) -> Iterator[Block]:
    """One table for each figure: all samples and every group down, runs across. Nothing where there is no task."""
    split = student.splits[0]
    found = {run.label: own for run in runs if (own := figures_of(run, student, split))}
    if student.label not in found:
        return
    own = found[student.label]
    yield Heading(f"The task {own['name']}, version {own['version']}")
    for name in (name for name in own["all"] if name != "samples"):
        yield Heading(words(name), 3)
        yield Table(["", "n", *found], list(_rows(name, own, found)))
    yield Paragraph(
        "In brackets: 95% interval, in percent; Wilson's for rates, a bootstrap over rows for Field F1 (the values that "
        "stand at the same path in both answers, micro-averaged)."
    )


def figures_of(run: EvaluatedRun, student: EvaluatedRun, split: str) -> Json:
    """The task's figures of a run; those of a baseline stand in the student's summary. Empty without a task."""
    baseline = student.summary.get("baselines", {}).get(run.label.replace(" ", "_"), {})
    summary = run.summary.get("splits", baseline).get(split, {})
    return summary.get("task") or {}


def words(name: str) -> str:
    """How pages call a figure."""
    return {"json_exact": "JSONExact", "valid_json": "Valid JSON", "field_f1": "Field F1"}.get(
        name, name.replace("_", " ").capitalize()
    )


def _rows(name: str, own: Json, found: Mapping[str, Json]) -> Iterator[list[str]]:
    yield ["all", str(own["all"]["samples"]), *(formats.figure(each["all"].get(name)) for each in found.values())]
    for group, values in own["by"].items():
        for value, figures in values.items():
            cells = (each["by"].get(group, {}).get(value, {}).get(name) for each in found.values())
            yield [f"{group}: {value}", str(figures["samples"]), *map(formats.figure, cells)]
