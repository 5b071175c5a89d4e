"""The part of the report that says how good the runs are: headline, rates, comparisons, kinds of request, the judge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from astudent.evaluation.agreement import judge_agreement
from astudent.evaluation.comparison import compare_runs
from astudent.evaluation.summary import rates, slices
from astudent.report import formats
from astudent.report.document import Block, Heading, Image, Paragraph, Table
from astudent.report.plots import RatePoint, plot_rates, plot_slices, said
from astudent.report.runs import EvaluatedRun
from astudent.tasks.task import Task

Rates = Mapping[str, Any]

SPLIT_WORDS = {
    "test_unseen": "unseen schemas",
    "test_seen": "seen schemas, new requests",
    "train": "training rows",
    "align": "align rows (not a result)",
}
COMPARED = (("base", "SFT"), ("SFT", "DPO"), ("SFT", "control"), ("control", "DPO"), ("SFT", "SFT, constrained"))
SHOWN_SLICES = ("language", "conditions", "construct", "operator", "grade", "trap", "wording")
MOST_POINTS = 24
BASELINES = {
    "nearest neighbour": "nearest neighbour copies the answer of the most similar training request",
    "word copying": "word copying joins the words that request and schema share",
}
VERDICTS = ("accept", "reject")
SHOWN_RATES = (
    "parsed_rate",
    "schema_valid_rate",
    "exact_match_rate",
    "equivalent_rate",
    "teacher_accept_rate",
    "semantic_pass_rate",
)


def metric_of(runs: Sequence[EvaluatedRun]) -> str:
    """`semantic_pass_rate` where a judge was asked, else truth by execution."""
    judged = any(row.teacher_verdict for run in runs if run.summary for row in run.rows)
    return "semantic_pass_rate" if judged else "equivalent_rate"


def metric_words(metric: str) -> str:
    """How the report calls the metric."""
    return "semantic pass" if metric == "semantic_pass_rate" else "equivalent by execution"


def grades(run: EvaluatedRun) -> Iterator[tuple[str, dict[str, str]]]:
    """(words, filter) for each group of samples that the headline shows: unseen schemas by grade of their names."""
    for split in run.splits:
        words = SPLIT_WORDS[split]
        if split != "test_unseen":
            yield words, {"split": split}
            continue
        yield f"{words}, all", {"split": split}
        for names in ("seen", "new"):
            if run.of(split, names=names):
                yield f"{words}, {names} names", {"split": split, "names": names}


def headline(runs: Sequence[EvaluatedRun], student: EvaluatedRun, folder: Path) -> Iterator[Block]:
    """One sentence, one table, one plot: every run and baseline on every grade."""
    metric, groups = metric_of(runs), dict(grades(student))
    words = metric_words(metric)
    measured = {run.label: {group: rates(run.of(**wanted)) for group, wanted in groups.items()} for run in runs}
    yield Heading("Headline")
    yield Paragraph(_sentence(next(iter(groups)), measured[student.label], metric), strong=True)
    cells = {label: [formats.with_interval(by[group], metric) for group in groups] for label, by in measured.items()}
    yield Table(["", *groups], [[label, *row] for label, row in cells.items()])
    yield Paragraph(
        "In brackets: 95% Wilson interval, in percent. Semantic pass: valid under the schema and accepted by the judge."
        + _baselines(measured)
    )
    panels = {group: _points({label: by[group] for label, by in measured.items()}, metric) for group in groups}
    plot_rates(folder / "plots" / "rates.png", panels, words)
    yield Image(folder / "plots" / "rates.png", f"{words.capitalize()} of each run, with 95% intervals. {said(panels)}")


def _baselines(labels: Iterable[str]) -> str:
    named = [BASELINES[label] for label in labels if label in BASELINES]
    return f" Baselines are judged by execution: {', '.join(named)}." if named else ""


def _sentence(group: str, measured: Mapping[str, Rates], metric: str) -> str:
    best = measured[group]
    rate = formats.with_interval(best, metric)
    words = metric_words(metric).capitalize()
    return f"{words} on {group}: {rate} of {best['samples']} requests over {best['schemas']} schemas."


def all_rates(runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """Every rate of every run, split by split."""
    yield Heading("All rates")
    header = ["", "n", *(name.removesuffix("_rate").replace("_", " ") for name in SHOWN_RATES), "field F1", "cut off"]
    for split in dict.fromkeys(split for run in runs for split in run.splits):
        yield Heading(SPLIT_WORDS[split].capitalize(), 3)
        yield Table(header, [_all_of(run.label, rates(run.of(split))) for run in runs if run.of(split)])
    yield Paragraph(
        "Exact match: the same text. Equivalent: the same meaning, by canonical form or by execution on DuckDB. "
        "Field F1: single facts (field, operator, value, sort key...; else the values at their paths) right, micro-averaged. Cut off: the answer met "
        "the token limit."
    )


def _all_of(label: str, found: Rates) -> list[str]:
    shown = [formats.percent(found[name]) for name in SHOWN_RATES]
    return [label, str(found["samples"]), *shown, f"{found['field_f1']:.3f}", formats.percent(found["truncated_rate"])]


def comparisons(runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """Pairs of runs on the same samples; better or worse only where two tests agree."""
    by_label = {run.label: run for run in runs}
    pairs = [(by_label[a], by_label[b]) for a, b in COMPARED if a in by_label and b in by_label]
    rows = [row for before, after in pairs for row in _compared(before, after)]
    if not rows:
        return
    yield Heading("Is the difference real?")
    header = [
        "",
        "samples",
        "n",
        "won",
        "lost",
        "difference (points)",
        "95% interval",
        "McNemar p",
        "could show (points)",
        "verdict",
    ]
    yield Table(header, rows)
    yield Paragraph(
        "The same requests answered by both. Won: only the second run is right; lost: only the first. The interval "
        "resamples whole schemas (rows, where there is one schema only). A verdict of better or worse needs p below 0.05 and an interval that leaves 0 out. Could show: the smallest difference "
        "that these samples would have shown in four of five cases."
    )


def _compared(before: EvaluatedRun, after: EvaluatedRun) -> Iterator[list[str]]:
    for split in before.splits:
        found = compare_runs((before.label, before.rows), (after.label, after.rows), split)
        if found:
            r, pair = found.result, f"{before.label} → {after.label}"
            interval = f"{formats.points(r.interval.low)} to {formats.points(r.interval.high)}"
            figures = [str(r.samples), str(r.wins), str(r.losses), formats.points(r.difference), interval]
            yield [
                pair,
                SPLIT_WORDS[split],
                *figures,
                formats.p_value(r.p_value),
                formats.size(r.detectable),
                r.verdict,
            ]


def by_kind(
    runs: Sequence[EvaluatedRun], student: EvaluatedRun, folder: Path, task: Task | None = None
) -> Iterator[Block]:
    """What the student gets right on the first split by language, construct, number of conditions and operator; or by
    the groups of a benchmark `task`."""
    split, metric = student.splits[0], metric_of(runs)
    groups, words = slices(student.of(split), task), metric_words(metric)
    panels = {name: _most_asked(_points(groups[name], metric)) for name in SHOWN_SLICES if groups.get(name)}
    plot_slices(folder / "plots" / "slices.png", panels, words)
    yield Heading(f"By kind of request ({SPLIT_WORDS[split]}, {student.label})")
    yield Image(
        folder / "plots" / "slices.png", f"{words.capitalize()} by kind of request, with 95% intervals. {said(panels)}"
    )
    yield _by_language(runs, split, metric, task)


def _by_language(runs: Sequence[EvaluatedRun], split: str, metric: str, task: Task | None) -> Table:
    """Grade of names and language down, runs across."""
    found = {run.label: slices(run.of(split), task).get("names and language", {}) for run in runs}
    values = sorted({value for by in found.values() for value in by})
    rows = [[v, *(formats.with_interval(by.get(v, {}), metric) for by in found.values())] for v in values]
    return Table(["names, language", *found], rows)


def judge(student: EvaluatedRun) -> Iterator[Block]:
    """How often judge and execution agree; only where the judge is a model (the embedded one is execution itself)."""
    if (student.summary.get("run", {}).get("judge") or {}).get("provider") == "embedded":
        return
    rows = [row for row in student.rows if row.kind == "plain"]
    agreement = judge_agreement(rows)
    if not agreement["judged"]:
        return
    yield Heading("The judge against execution")
    cells = [[str(agreement[f"{verdict}_{truth}"]) for truth in ("equivalent", "different")] for verdict in VERDICTS]
    header = ["", "execution: equal", "execution: different"]
    yield Table(header, [[f"judge: {verdict}", *row] for verdict, row in zip(VERDICTS, cells, strict=True)])
    kappa = formats.UNKNOWN if agreement["kappa"] is None else f"{agreement['kappa']:.3f}"
    failed = sum(row.teacher_verdict == "error" for row in rows)
    yield Paragraph(f"{agreement['judged']} schema-valid answers; Cohen's kappa {kappa}; the judge failed on {failed}.")


def _points(groups: Mapping[str, Rates], metric: str) -> list[RatePoint]:
    """A point for each group whose rate is known."""
    known = {label: found for label, found in groups.items() if found[metric] is not None}
    return [_point(label, found, metric) for label, found in known.items()]


def _most_asked(points: Sequence[RatePoint]) -> list[RatePoint]:
    """In their order, without the rarest where there are too many for a plot."""
    kept = sorted(points, key=lambda point: -point.samples)[:MOST_POINTS]
    return [point for point in points if point in kept]


def _point(label: str, found: Rates, metric: str) -> RatePoint:
    low, high = found["intervals"][metric]
    return RatePoint(label, found[metric], low, high, found["samples"])
