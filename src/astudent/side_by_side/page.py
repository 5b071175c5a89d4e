"""A comparison as a document, for a terminal and for one HTML page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from astudent.report import formats
from astudent.report.document import Block, Bullets, Document, Heading, Paragraph, Table

Json = Mapping[str, Any]

PAIR_HEADER = [
    "n",
    "won",
    "lost",
    "difference (points)",
    "95% interval",
    "p",
    "p (Holm)",
    "verdict",
    "could show (points)",
]
EXPLANATION = (
    "Won: only the run is right; lost: only the reference. The interval draws whole schemas anew (rows, where there is one "
    "schema), p is McNemar's, exact; Holm adjusts it for all comparisons of its table. Better or worse needs an adjusted p "
    "below 0.05 and an interval that leaves 0 out. Could show: the smallest difference that these samples would have "
    "shown four times in five; a smaller one is neither proved nor disproved by the verdict same."
)


def document(found: Json) -> Document:
    """All tables, split by split, and how to read them."""
    page = Document([Heading("Evaluated runs side by side", 1), Paragraph(_sentence(found), strong=True)])
    page.add(Table(["run", "adapter", "decoding", "judge"], [_run(run) for run in found["runs"]], figures=False))
    for split, figures in found["splits"].items():
        page.add(*_split(split, figures, found["metric"]))
    page.add(Heading("How to read it"), Paragraph(EXPLANATION))
    if notes := [*_left_out(found["left_out"]), *found["notes"]]:
        page.add(Heading("Notes"), Bullets(notes))
    return page


def words(metric: str) -> str:
    """`semantic pass`."""
    return metric.replace("_", " ")


def _sentence(found: Json) -> str:
    others = [run["label"] for run in found["runs"][1:]]
    return f"{formats.listed(others)} against {found['reference']}, by {words(found['metric'])}."


def _run(run: Json) -> list[str]:
    judge = run.get("judge") or {}
    return [run["label"], str(run.get("adapter")), formats.decoding(run), str(judge.get("model", formats.UNKNOWN))]


def _split(split: str, figures: Json, metric: str) -> Iterator[Block]:
    yield Heading(f"{split}: {formats.number(figures['samples'])} requests")
    names = list(dict.fromkeys(("schema_valid_rate", "exact_match_rate", "equivalent_rate", f"{metric}_rate")))
    header = [
        "",
        *(words(name.removesuffix("_rate")) for name in names),
        "field F1",
        "characters wrong",
        "median s",
        "p90 s",
    ]
    yield Table(header, [_rates(label, rates, names) for label, rates in figures["rates"].items()])
    yield Table(["", *PAIR_HEADER], [[pair["after"], *_pair(pair)] for pair in figures["pairs"]])
    for name, values in figures["by"].items():
        yield Heading(f"{split} by {name}", 3)
        yield from _by(name, values, metric)


def _by(name: str, values: Json, metric: str) -> Iterator[Block]:
    if not values:
        yield Paragraph(f"No sample has a {name}.")
        return
    rows = [
        [
            value,
            pair["after"],
            *(_rate(part["rates"][pair[side]], metric) for side in ("before", "after")),
            *_pair(pair),
        ]
        for value, part in values.items()
        for pair in part["pairs"]
    ]
    yield Table([name, "run", "reference", "this run", *PAIR_HEADER], rows)


def _rate(rates: Json, metric: str) -> str:
    return formats.with_interval(rates, f"{metric}_rate")


def _rates(label: str, rates: Json, names: Sequence[str]) -> list[str]:
    shown = [formats.with_interval(rates, name) for name in names]
    seconds = [formats.number(rates[f"{name}_latency_seconds"]) for name in ("median", "p90")]
    return [label, *shown, f"{rates['field_f1']:.3f}", formats.percent(rates["character_error_rate"]), *seconds]


def _pair(pair: Json) -> list[str]:
    low, high = pair["interval"]
    could = formats.size(pair["detectable"])
    return [
        *(str(pair[name]) for name in ("samples", "wins", "losses")),
        formats.points(pair["difference"]),
        f"{formats.points(low)} to {formats.points(high)}",
        *(formats.p_value(pair[name]) for name in ("p_value", "p_adjusted")),
        pair["verdict"],
        could,
    ]


def _left_out(left_out: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for label, counts in left_out.items():
        told = formats.listed([f"{count} of {split}" for split, count in counts.items()])
        yield f"{label}: {told} left out, which not all runs answered."
