"""What `--preview-masks` shows: rows token by token, with the role of each token and what it weighs in the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from astudent.json_texts.tables import table
from astudent.report.markdown import visible
from astudent.roles.selective import TokenWeights
from astudent.settings import Training
from astudent.student.chat_rows import read_chat_rows
from astudent.student.load import load_tokenizer
from astudent.student.rows import as_sources, read_corpus
from astudent.student.supervision import ROLE_NAMES, Encoded, Source, encode_rows


def preview(settings: Training, count: int) -> None:
    """Prints the first `count` rows of the corpus, as many of each kind as there are; loads no model."""
    tokenizer = load_tokenizer(settings.base_model, settings.base_revision)
    for row in encode_rows(tokenizer, shown_rows(settings, count), TokenWeights.of(settings), max_length=None):
        print("\n".join(lines(tokenizer, row)), end="\n\n")


def shown_rows(settings: Training, count: int) -> list[Source]:
    """The rows to show; of rows with images only the answer is, so their prompt is left out."""
    corpus = Path(settings.training_corpus)
    if settings.modality == "vision":
        chat = read_chat_rows(corpus, min(count, settings.max_samples or count))
        return [Source(row.row_id, row.schema_id, row.schema_json, row.answer, content="?") for row in chat]
    rows = read_corpus(corpus, settings.max_samples)
    plain, repair = ([row for row in rows if row.kind == kind] for kind in ("plain", "repair"))
    return as_sources((plain[: count - min(count // 2, len(repair))] + repair)[:count])


def lines(tokenizer: PreTrainedTokenizerBase, row: Encoded) -> Iterator[str]:
    """One row: its supervised tokens with role and weight, then how many of them count."""
    yield visible(f"{row.row_id} ({row.schema_id}){', repair' if row.is_repair else ''}:")
    ids: Sequence[int] = row.input_ids[row.prompt_length :].tolist()
    words = [visible(repr(tokenizer.decode([token]))) for token in ids]
    roles = [ROLE_NAMES[role] for role in row.roles]
    weights = [f"{weight:g}" if weight else "-" for weight in row.weights]
    yield table(["token", "role", "weight"], [list(cells) for cells in zip(words, roles, weights, strict=True)])
    yield f"{sum(row.weights > 0)} of {len(ids)} tokens count, with a weight of {row.weights.sum():g} in all"
