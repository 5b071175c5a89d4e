"""The benchmark task `documents`: business documents as text, with the JSON object that each of them states.

Texts are English and French e-mails, receipts, forms, tables, letters and notes under 24 schemas of three grades.
What follows from other values (totals, taxes, counts, due dates) is computed, never drawn.
"""

from collections.abc import Iterator
from random import Random

from astudent.language.canonical import canonical_text
from astudent.language.serialise import serialise
from astudent.language.splits import digest_of, normalised_request
from astudent.records import DatasetRow, Language, MadeBy, Split
from astudent.tasks.documents.draw import Decks, Document, Draw
from astudent.tasks.documents.kinds import SCHEMAS, DocumentKind
from astudent.tasks.documents.notation import Notation
from astudent.tasks.documents.render import render

__all__ = ["SCHEMAS", "VERSION", "DocumentKind", "rows"]

VERSION = "1.0.0"
"""Of the generator: another one where any row of any seed differs."""

MAX_ANSWER = {"simple": 160, "medium": 500, "complex": 800}
"""Characters of an answer, by grade; a longer one is drawn again."""

LANGUAGES: tuple[Language, Language] = ("en", "fr")


def rows(
    seed: int, train_per_schema: int = 150, test_per_schema: int = 20, align_per_schema: int = 10
) -> Iterator[DatasetRow]:
    """The data set of a seed, schema after schema; half of each split's rows are English.

    No text and no answer comes twice, in any split. The tests' rows do not depend on the number of the others.
    """
    counts: dict[Split, int] = {"test_seen": test_per_schema, "align": align_per_schema, "train": train_per_schema}
    seen: set[bytes] = set()
    for kind in SCHEMAS.values():
        for split, count in counts.items():
            yield from _split_rows(kind, split, count, seed, seen)


def _split_rows(kind: DocumentKind, split: Split, count: int, seed: int, seen: set[bytes]) -> Iterator[DatasetRow]:
    decks = Decks(Random(f"{seed} {kind.name} {split}"))
    made_by = MadeBy(provider="program", model="documents", digest=VERSION, seed=seed)
    for index in range(count):
        language = LANGUAGES[index % 2]
        rng = Random(f"{seed} {kind.name} {split} {index}")
        document, text = _new_document(kind, decks, Draw(rng, decks, language, tests=split == "test_seen"), seen)
        yield DatasetRow(
            query_id=f"documents-{kind.name}-{split}-{index:05}",
            schema_id=f"{kind.name}-v1",
            domain_id=kind.name,
            language=language,
            schema_json=kind.schema,
            query=text,
            ast_json=document,
            is_valid=True,
            split=split,
            names="seen",
            source="generated",
            grade=kind.grade,
            made_by=made_by,
        )


def _new_document(kind: DocumentKind, decks: Decks, draw: Draw, seen: set[bytes]) -> tuple[Document, str]:
    """A document and its text, neither of which was there before."""
    decks.new_hand()
    while True:
        decks.same_hand()
        document, text = _document(kind, draw)
        keys = {digest_of(canonical_text(document)), digest_of(normalised_request(text))}
        if keys.isdisjoint(seen) and len(serialise(document, kind.schema)) <= MAX_ANSWER[kind.grade]:
            seen |= keys
            return document, text


def _document(kind: DocumentKind, draw: Draw) -> tuple[Document, str]:
    layouts = kind.layouts(draw.language)
    layout = draw.one(f"layout {draw.language}", sorted(layouts.layouts))
    document = kind.document(draw)
    notation = Notation.draw(draw.language, _currency(document), draw.rng)
    return document, render(document, layouts, layout, notation, draw)


def _currency(document: Document) -> str | None:
    """The currency that the answer names, if any: the text must be in it."""
    return document.get("currency") or document.get("salary", {}).get("currency")
