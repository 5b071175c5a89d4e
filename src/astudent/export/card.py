"""The card that an export carries: what it was made of, which file is for whom, how it was proved."""

from pathlib import Path
from typing import Any

from astudent.export.package import Record
from astudent.report.cards import front_matter
from astudent.report.document import Bullets, Document, Heading, Paragraph, Table
from astudent.report.markdown import render_markdown


def card(record: Record, kinds: list[str]) -> str:
    """README.md of the export, in Hugging Face's form; `kinds` are the GGUFs that it holds."""
    page = Document()
    page.add(Heading(f"{record.base_model}, fine-tuned to answer under a JSON Schema", 1))
    page.add(Paragraph("It reads a JSON Schema and a request, and answers with one JSON object under that schema."))
    page.add(Heading("Files"), Table(["file", "what it is"], _files(kinds), figures=False))
    page.add(Heading("Origin"), Table(["what", ""], _origin(record), figures=False))
    if record.notes:
        page.add(Heading("To know"), Bullets(record.notes))
    facts: dict[str, Any] = {
        "base_model": record.base_model,
        "pipeline_tag": "text-generation",
        "language": ["en", "fr"],
    }
    return front_matter(facts | {"tags": ["json-schema", "gguf", "ollama"]}) + render_markdown(page, Path())


def _files(kinds: list[str]) -> list[list[str]]:
    rows = [["fp32/, bf16/", "merged model and tokenizer for transformers, vLLM and the like"]]
    rows += [[f"gguf/model-{kind}.gguf", "for llama.cpp and what is built on it"] for kind in kinds]
    rows += [["ollama/Modelfile", "for ollama create NAME -f ollama/Modelfile"]] * bool(kinds)
    return [*rows, ["verify.json", "what astudent export --verify measured, where it was asked for"]]


def _origin(record: Record) -> list[list[str]]:
    four = {True: "yes; merged into the base in full precision", False: "no", None: "unknown"}[record.trained_in_4bit]
    return [
        ["base model", record.base_model],
        ["base's identity (SHA-256)", record.base_sha256],
        ["adapter's SHA-256 (adapter_model.safetensors)", record.adapter_sha256],
        ["trained in 4 bits", four],
        ["quality gate of its data", record.gate or "unknown"],
        ["parameters", f"{record.weights:,}"],
        ["context (tokens)", f"{record.num_ctx:,}"],
    ]
