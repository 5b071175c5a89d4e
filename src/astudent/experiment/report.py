"""An experiment's figures as a page: the table, the learning curves, and what to read into them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from astudent.experiment.results import LOSSES, VALUES, Finished
from astudent.report import formats
from astudent.report.document import Bullets, Document, Heading, Image, Paragraph, Table
from astudent.report.plots import Curve, plot_variants

Json = Mapping[str, Any]


def document(found: Json, finished: Sequence[Finished], folder: Path) -> Document:
    """The page; the plot is drawn below `folder`."""
    page = Document()
    page.add(Heading("Selective loss, side by side", 1))
    page.add(Paragraph(_answers(found), strong=True))
    page.add(Heading("What the answers are worth"), _answer_table(found))
    page.add(Heading("How fast it learns"), _loss_table(found))
    curves = {name: [_curve(trial, loss) for trial in finished] for loss, name in LOSSES.items()}
    plot_variants(folder / "plots" / "losses.png", curves)
    page.add(Image(folder / "plots" / "losses.png", "Validation loss over the steps, of all tokens and of values"))
    page.add(Heading("What it costs"), _cost_table(found), Bullets(_notes(found)))
    return page


def _answers(found: Json) -> str:
    """One sentence on each variant against the baseline."""
    said = []
    for name, variant in found["variants"].items():
        if against := variant.get("against_baseline"):
            low, high = against["interval"]
            verdict = "better" if low > 0 else "worse" if high < 0 else "no difference that these samples show"
            between = f"{formats.points(low)} to {formats.points(high)}"
            said.append(f"{name}: {verdict} ({formats.points(against['difference'])} points, {between}).")
    return " ".join(said) or "Without a baseline there is nothing to compare with."


def _answer_table(found: Json) -> Table:
    metric = found["metric"]
    header = ["variant", "keep-rate", metric.replace("_", " "), "against baseline (95%)", "schema-valid"]
    header += [f"{role.value.lower().replace('_', ' ')} right" for role in VALUES] + ["character errors"]
    return Table(header, [_answer_row(name, variant, metric) for name, variant in found["variants"].items()])


def _answer_row(name: str, variant: Json, metric: str) -> list[str]:
    cells = [
        name,
        formats.number(variant["keep_rate"]),
        _rate(variant[metric]),
        formats.UNKNOWN,
        _rate(variant["schema_valid"]),
    ]
    if against := variant.get("against_baseline"):
        low, high = against["interval"]
        between = f"{formats.points(low)} to {formats.points(high)}"
        cells[3] = f"{formats.points(against['difference'])} ({between})"
    cells += [_rate(variant["values_right"][role.value]) for role in VALUES]
    return [*cells, _rate(variant["character_error_rate"])]


def _loss_table(found: Json) -> Table:
    targets = found["targets"]
    header = ["variant", *(f"lowest loss, {name}" for name in LOSSES.values())]
    header += [f"steps to {formats.number(targets[loss])}, {name}" for loss, name in LOSSES.items()]
    rows = [
        [name, *(_spread(v["lowest"][loss]) for loss in LOSSES), *(_spread(v["steps_to"][loss]) for loss in LOSSES)]
        for name, v in found["variants"].items()
    ]
    return Table(header, rows)


def _cost_table(found: Json) -> Table:
    rows = [[name, _spread(v["seconds"]), _spread(v["peak_mb"])] for name, v in found["variants"].items()]
    return Table(["variant", "seconds of training", "peak memory (MB)"], rows)


def _notes(found: Json) -> list[str]:
    seeds = max(len(variant["seeds"]) for variant in found["variants"].values())
    return [
        (
            f"{found['samples']} requests; {seeds} seed{'s' if seeds > 1 else ''} a variant. Where there are several, a cell "
            "is their mean with the lowest and the highest."
        ),
        "The interval against the baseline is a paired bootstrap over whole schemas; it does not speak for further seeds.",
        (
            "Losses are of the validation rows, in nats a token, unweighted for every variant. The loss of values is that of "
            "numbers, booleans, enumerated and free strings: a strategy that leaves grammar out must not be judged by grammar."
        ),
        "Steps are counted to the lowest loss that every run reaches, at the steps that are evaluated.",
        "A value is right when it stands at the same path as in the known answer, both in canonical form.",
    ]


def _curve(trial: Finished, loss: str) -> Curve:
    return Curve(trial.trial.variant, list(trial.steps), list(getattr(trial, loss)))


def _rate(spread: Mapping[str, float] | None) -> str:
    if spread is None:
        return formats.UNKNOWN
    low, high = formats.percent(spread["low"]), formats.percent(spread["high"])
    return formats.percent(spread["mean"]) + ("" if low == high else f" ({low} to {high})")


def _spread(spread: Mapping[str, float] | None) -> str:
    if spread is None:
        return formats.UNKNOWN
    low, high = formats.number(spread["low"]), formats.number(spread["high"])
    return low if low == high else f"{formats.number(spread['mean'])} ({low} to {high})"
