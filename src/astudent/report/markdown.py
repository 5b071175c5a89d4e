"""A document as Markdown, escaped so that no text of a request or an answer can become markup."""

import re
from collections.abc import Sequence
from pathlib import Path

from astudent.report.document import (
    Block,
    Bullets,
    Compared,
    Document,
    Explorer,
    Heading,
    Image,
    Paragraph,
    Table,
)

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
LINE_START = re.compile(r"^(\d*)([-+=.)])", re.ASCII)  # would begin a list, or underline a heading
# Characters that change the reading direction, or that nobody sees: shown by name instead of obeyed.
# Halves of surrogate pairs are no characters at all, and no file takes them.
INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


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
    shown = (block for block in document.blocks if not isinstance(block, Explorer))
    return "\n\n".join(_block(block, folder) for block in shown) + "\n"


def _block(block: Block, folder: Path) -> str:
    """`folder` is where the page will lie."""
    match block:
        case Heading(text, level):
            return f"{'#' * level} {escape(text)}"
        case Paragraph(text, strong):
            return f"**{escape(text)}**" if strong else escape_line(text)
        case Bullets(items):
            return "\n".join(f"- {escape_line(item)}" for item in items)
        case Table(header, rows, figures):
            return _table(header, rows, figures)
        case Image(path, alt):
            return f"![{escape(alt)}]({path.relative_to(folder).as_posix()})"
        case Compared(request, known, answer, differences):
            texts = [escape_line("".join(request)), "Known:", _fenced(visible("".join(known)))]
            texts += ["Student:", _fenced(visible("".join(answer)))]
            table = [_table(["path", "known", "student"], differences, figures=False)] if differences else []
            return "\n\n".join([*texts, *table])
        case Explorer():
            return ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], figures: bool) -> str:
    rules = ["---"] + ["---:" if figures else "---"] * (len(header) - 1)
    lines = [[escape(cell) for cell in header], rules, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fenced(text: str) -> str:
    """A fence longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
