"""What a report is made of. Texts are plain: each renderer escapes them, so a hostile request stays text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the report's title."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Running text; `strong` for the one sentence that must be read."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of texts."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column is left-aligned, the others are figures unless `figures` is false.

    `shaded`: of counts, the larger a share of its row, the darker a page draws it.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: bool = True
    shaded: bool = False


@dataclass(frozen=True)
class Image:
    """A plot on disk as PNG, with the words and numbers for who cannot see it; where an SVG of the same name lies
    beside it, a page shows that."""

    path: Path
    alt: str


@dataclass(frozen=True)
class Compared:
    """A request, its known answer and the student's; `differences` are (path, known, student's).

    The three texts are in pieces of which every second one, from the second on, is marked.
    """

    request: Sequence[str]
    known: Sequence[str]
    answer: Sequence[str]
    differences: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Explorer:
    """Answers that a page filters and searches; Markdown leaves them out. `data` is what page.js reads."""

    title: str
    data: Mapping[str, Any]


Block = Heading | Paragraph | Bullets | Table | Image | Compared | Explorer


@dataclass
class Document:
    """Blocks in reading order."""

    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block) -> None:
        """Appends blocks."""
        self.blocks.extend(blocks)
