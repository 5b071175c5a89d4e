"""A document as Markdown, escaped so that no text of a request or an answer can become markup."""

import re
from collections.abc import Sequence
from pathlib import Path

from astudent.report.document import Block, Bullets, Code, Document, Heading, Image, Paragraph, Table

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
LINE_START = re.compile(r"^(\d*)([-+=.)])", re.ASCII)  # would begin a list, or underline a heading
# Characters that change the reading direction, or that nobody sees: shown by name instead of obeyed.
INVISIBLE = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def visible(text: str) -> str:
    """The text with control and direction characters spelled out, such as U+202E."""
    return INVISIBLE.sub(lambda found: f"U+{ord(found.group()):04X}", text)


def escape(text: str) -> str:
    """One line of Markdown that shows `text` as it is."""
    return SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))


def escape_line(text: str) -> str:
    """The same where the text begins a line of its own."""
    return LINE_START.sub(r"\1\\\2", escape(text))


def render_markdown(document: Document, folder: Path) -> str:
    """The whole document; image paths are written relative to `folder`."""
    return "\n\n".join(_block(block, folder) for block in document.blocks) + "\n"


def _block(block: Block, folder: Path) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {escape(text)}"
        case Paragraph(text, strong):
            return f"**{escape(text)}**" if strong else escape_line(text)
        case Bullets(items):
            return "\n".join(f"- {escape_line(item)}" for item in items)
        case Table(header, rows, figures):
            return _table(header, rows, figures)
        case Code(text):
            return _fenced(visible(text))
        case Image(path, alt):
            return f"![{escape(alt)}]({path.relative_to(folder).as_posix()})"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], figures: bool) -> str:
    rules = ["---"] + ["---:" if figures else "---"] * (len(header) - 1)
    lines = [[escape(cell) for cell in header], rules, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fenced(text: str) -> str:
    """A fence longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
