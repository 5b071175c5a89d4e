"""What a report is made of. Texts are plain: each renderer escapes them, so a hostile request stays text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


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
    """A table of texts; the first column is left-aligned, the others are figures unless `figures` is false."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: bool = True


@dataclass(frozen=True)
class Code:
    """Text whose spaces and characters matter."""

    text: str


@dataclass(frozen=True)
class Image:
    """A plot on disk, with the words for who cannot see it."""

    path: Path
    alt: str


Block = Heading | Paragraph | Bullets | Table | Code | Image


@dataclass
class Document:
    """Blocks in reading order."""

    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block) -> None:
        """Appends blocks."""
        self.blocks.extend(blocks)
