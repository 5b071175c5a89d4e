"""What a model card says of an evaluated adapter."""

from collections.abc import Iterator, Sequence
from typing import Any

from astudent.errors import UsageError
from astudent.report import formats
from astudent.report.document import Document, Heading, Paragraph, Table
from astudent.report.measured import MeasuredRun
from astudent.report.task import words

TOLD = ("lora_r", "lora_alpha", "learning_rate", "batch_size", "grad_accum", "max_steps", "num_epochs", "seed")
"""Settings of the training that a card names."""


def facts(run: MeasuredRun) -> dict[str, Any]:
    """The card's front matter; the figures as Hugging Face's model index."""
    base = run.about["base_model"]
    measured = [{"type": name, "value": f["value"]} for name, f in run.figures().items() if f["value"] is not None]
    result = {
        "task": {"type": "text-generation"},
        "dataset": {"name": run.task, "type": run.task.split()[0], "split": run.split},
        "metrics": measured,
    }
    return {
        "base_model": base,
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "language": ["en", "fr"],
        "tags": ["lora", "json-schema", run.task.split()[0]],
        "model-index": [{"name": _name(run), "results": [result]}],
    }


def document(runs: Sequence[MeasuredRun]) -> Document:
    """The card's text: figures, groups, origin. UsageError where the first run is a base model's."""
    run = runs[0]
    if run.about["adapter"] == "none":
        message = f"{run.folder}: the base model alone was evaluated there"
        raise UsageError(message, "Name an adapter's evaluation first.")
    found = Document()
    found.add(Heading(f"{run.about['base_model']} with a LoRA adapter for {run.task}", 1))
    found.add(Paragraph("It reads a JSON Schema and a text, and answers with one JSON object under that schema."))
    found.add(Heading(f"Figures on {run.split}"), _figures(runs))
    found.add(*_groups(run))
    found.add(Paragraph("In percent, with 95% intervals in brackets."))
    found.add(Heading("How it was made"), Table(["what", ""], list(_origin(run)), figures=False))
    return found


def lacking(run: MeasuredRun) -> list[str]:
    """What the run's files do not tell."""
    unknown = [f"figure {name}" for name, figure in run.figures().items() if figure["value"] is None]
    unknown += [] if run.training else ["how the adapter was trained: no run_config.json beside it"]
    unknown += [] if run.corpus else ["what the quality gate said of the corpus: no metadata beside it"]
    return unknown + ([] if run.command() else ["the configuration of the evaluation"])


def _figures(runs: Sequence[MeasuredRun]) -> Table:
    names = list(dict.fromkeys(name for run in runs for name in run.figures()))
    rows = [[words(name), *(formats.figure(run.figures().get(name)) for run in runs)] for name in names]
    counts = ["rows", *(str(run.summary["samples"]) for run in runs)]
    return Table(["", *map(_name, runs)], [counts, *rows])


def _groups(run: MeasuredRun) -> Iterator[Table]:
    names = list(run.figures())
    rows = [[f"{group}", *(formats.figure(figures.get(name)) for name in names)] for group, figures in run.groups()]
    if rows:
        yield Table(["", *map(words, names)], rows)


def _origin(run: MeasuredRun) -> Iterator[list[str]]:
    told, settings = run.about, run.training.get("settings", {})
    yield ["base model", told["base_model"]]
    if digest := told.get("served_digest"):
        yield ["served model's digest", digest]
    else:
        yield ["adapter's SHA-256", told.get("adapter_sha256") or formats.UNKNOWN]
    yield ["quality gate", told.get("adapter_gate") or formats.UNKNOWN]
    yield ["evaluated on (SHA-256)", told.get("dataset_sha256") or formats.UNKNOWN]
    yield ["measured by", run.command() or formats.UNKNOWN]
    for name in TOLD:
        if f"training.{name}" in settings:
            yield [f"training.{name}", formats.number(settings[f"training.{name}"])]
    if run.corpus:
        yield ["rows trained on, and for validation", formats.number(run.corpus.get("corpus_rows"))]


def _name(run: MeasuredRun) -> str:
    """The student; how it decoded, where that is more than greedy and free."""
    student = "base model" if run.about["adapter"] == "none" else run.about["adapter"]
    way = formats.decoding(run.about)
    return student if way in ("free", formats.UNKNOWN) else f"{student} ({way})"
