"""The part of the report on constrained decoding: what the schema's grammar costs, what it repairs, and what it hides."""

from collections.abc import Iterator, Sequence

from astudent.evaluation.constraint import OUTCOMES, hidden
from astudent.report import formats
from astudent.report.document import Block, Bullets, Heading, Paragraph, Table
from astudent.report.runs import EvaluatedRun, Json

SHOWN_SCHEMAS = 20
WORDS = {"right": "right", "valid_but_wrong": "valid, but wrong", "invalid": "not valid"}


def constraint(runs: Sequence[EvaluatedRun]) -> Iterator[Block]:
    """One table for each student and split that was decoded in both ways. Nothing where none was."""
    found = {run.label: run.summary["constraint"] for run in runs if run.summary.get("constraint")}
    if not found:
        return
    yield Heading("Free and constrained, side by side")
    header = [
        "",
        "n",
        "free (s)",
        "constrained (s)",
        "times as long (95%)",
        "free (ms a token)",
        "constrained",
        "hidden",
    ]
    yield Table(header, list(_costs(found)))
    yield Paragraph(
        "The same requests, decoded freely and under the grammar of their schema. Seconds are a request's share of its "
        "batches' time, compiling the grammar included; a grammar also ends answers that would run on. Hidden: answers that were visibly broken when free, and that the "
        "grammar turned into valid ones of another meaning."
    )
    for label, of_run in found.items():
        for split, beside in of_run["splits"].items():
            yield Heading(f"{label}, {split}: from free to constrained", 3)
            yield Table(
                ["free", *(f"constrained: {WORDS[name]}" for name in OUTCOMES)], list(_outcomes(beside["outcomes"]))
            )
    yield from _not_enforced(next(iter(found.values())))


def _costs(found: dict[str, Json]) -> Iterator[list[str]]:
    for label, of_run in found.items():
        for split, beside in of_run["splits"].items():
            ways = ("free_seconds", "constrained_seconds")
            seconds = [formats.number(beside[way]) for way in ways]
            per_token = [formats.number(1000 * beside[f"{way}_per_token"]) for way in ways]
            measured = [*seconds, _ratio(beside), *per_token, str(hidden(beside["outcomes"]))]
            yield [f"{label}, {split}", str(beside["samples"]), *measured]


def _ratio(beside: Json) -> str:
    if beside["time_ratio"] is None:
        return formats.UNKNOWN
    if beside["time_ratio_interval"] is None:
        return f"{beside['time_ratio']:.2f}"
    low, high = beside["time_ratio_interval"]
    return f"{beside['time_ratio']:.2f} ({low:.2f} to {high:.2f})"


def _outcomes(outcomes: Json) -> Iterator[list[str]]:
    yield from ([WORDS[name], *(str(outcomes[name][other]) for other in OUTCOMES)] for name in OUTCOMES)


def _not_enforced(of_run: Json) -> Iterator[Block]:
    """The schemas of which a grammar enforces a part only, or nothing."""
    told = [f"{schema_id}: left out: {'; '.join(lines)}" for schema_id, lines in of_run["left_out"].items()]
    told += [f"{schema_id}: no grammar, decoded freely only: {why}" for schema_id, why in of_run["refused"].items()]
    if not told:
        yield Paragraph(f"The grammar enforces every keyword of all {of_run['schemas']} schemas.")
        return
    yield Heading("What the grammar does not enforce", 3)
    shown = told[:SHOWN_SCHEMAS]
    more = [f"and {len(told) - len(shown)} more, in the summary"] if len(shown) < len(told) else []
    yield Bullets([*shown, *more])
