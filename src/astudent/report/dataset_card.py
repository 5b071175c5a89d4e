"""What a data set's card says of the rows of stage 04."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.errors import UsageError
from astudent.quality.clearance import METADATA_NAME
from astudent.report.document import Document, Heading, Paragraph, Table
from astudent.report.runs import Json, read_json
from astudent.stage import record_path
from astudent.tasks.documents.manifest import DatasetVersion, describe, read_manifest, warning_of

DATASET_NAME = "d_04_dataset.jsonl"
UNVERSIONED = "0"
"""Where no record tells a version."""


@dataclass(frozen=True)
class FoundDataset:
    """A file of rows, counted and hashed; the record of how it was made (empty: none), and its warning (empty: none)."""

    entry: DatasetVersion
    record: Json
    warning: str


def dataset_in(folder: Path) -> FoundDataset:
    """The data set of a folder. UsageError where there is none."""
    path = folder / DATASET_NAME
    if not path.is_file():
        hint = "Name the folder of an evaluation (as outputs/student_runs/eval) or of a data set (as outputs)."
        raise UsageError(f"{folder}: neither {DATASET_NAME} nor the summary of an evaluation", hint)
    record, metadata = read_json(record_path(path)), read_json(folder / METADATA_NAME)
    settings = record.get("settings", {})
    name, version = settings.get("task.name", "language"), settings.get("task.version", UNVERSIONED)
    entry = describe(path, name=name, version=version, gate="unchecked", created_by="stage 04")
    if metadata.get("dataset_sha256") == entry.sha256:
        entry = entry.model_copy(update={"gate": metadata["verdict"]})
    known = read_manifest(folder / "manifest.json").find(name, version)
    return FoundDataset(entry, record, warning_of(known) if known else "")


def facts(found: FoundDataset) -> dict[str, Any]:
    """The card's front matter."""
    sizes = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    size = next((name for most, name in sizes if found.entry.rows < most), "n>1M")
    return {
        "pretty_name": f"astudent {found.entry.name}",
        "language": sorted(found.entry.counts["language"]),
        "task_categories": ["text-generation"],
        "size_categories": [size],
        "tags": ["json-schema", "synthetic", found.entry.name],
    }


def document(found: FoundDataset) -> Document:
    """The card's text: warning, facts, counts."""
    entry, card = found.entry, Document()
    card.add(Heading(f"Data set {entry.name}, version {entry.version}", 1))
    if found.warning:
        card.add(Paragraph(found.warning, strong=True))
    card.add(Paragraph("Rows of a JSON Schema, a text, and the JSON that answers it; made by programs or models."))
    told = {"file": entry.file, "SHA-256": entry.sha256, "rows": f"{entry.rows:,}", "quality gate": entry.gate}
    told |= {key: str(value) for key, value in found.record.get("settings", {}).items()}
    card.add(Table(["what", ""], [[key, value] for key, value in told.items()], figures=False))
    for facet, counts in entry.counts.items():
        card.add(Heading(f"Rows by {facet}", 3))
        card.add(Table([facet, "rows"], [[value, f"{count:,}"] for value, count in counts.items()]))
    return card


def lacking(found: FoundDataset) -> list[str]:
    """What the files beside the rows do not tell."""
    unknown = [] if found.record else ["how the rows were made: no record beside them"]
    unknown += ["a version: the record names none"] if found.entry.version == UNVERSIONED else []
    is_unchecked = found.entry.gate == "unchecked"
    return unknown + (["what the quality gate says of these very rows"] if is_unchecked else [])
