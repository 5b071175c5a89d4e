"""The blocks of a document as HTML. Texts are escaped, isolated by direction, and show what is invisible by its name."""

import base64
from collections.abc import Sequence
from html import escape

from astudent.report.document import Block, Bullets, Compared, Explorer, Heading, Image, Paragraph, Table
from astudent.report.markdown import INVISIBLE, visible

SHADES = 5
PATH_HEADER = ("path", "known", "student")


def render_block(block: Block, caption: str, section: int) -> str:
    """One block; `caption` is the nearest heading, `section` its number."""
    match block:
        case Heading(text, level):
            anchor = f' id="s{section}"' if level == 2 else ""
            return f'<h{level}{anchor} dir="auto">{_shown(text)}</h{level}>'
        case Paragraph(text, strong):
            return f'<p class="lead" dir="auto">{_shown(text)}</p>' if strong else f'<p dir="auto">{_shown(text)}</p>'
        case Bullets(items):
            return "<ul>" + "".join(f'<li dir="auto">{_shown(item)}</li>' for item in items) + "</ul>"
        case Table():
            return _table(block, caption)
        case Image():
            return _wide(_image(block), caption)
        case Compared():
            return _compared(block, caption)
        case Explorer(title):
            return _explorer(title)


def text_of(text: str) -> str:
    """A text for an attribute or a title."""
    return escape(visible(text))


def _shown(text: str) -> str:
    """A text for an element: what is invisible stands out by its name."""
    pieces, start = list[str](), 0
    for found in INVISIBLE.finditer(text):
        pieces.append(escape(text[start : found.start()]))
        pieces.append(f'<span class="control">{visible(found.group())}</span>')
        start = found.end()
    return "".join([*pieces, escape(text[start:])])


def _table(table: Table, caption: str) -> str:
    """The caption is for who cannot see the heading above."""
    head = "".join(f'<th scope="col" dir="auto">{_shown(cell)}</th>' if cell else "<td></td>" for cell in table.header)
    body = "".join(_row(row, table.shaded) for row in table.rows)
    kind = f' class="figures{" shaded" if table.shaded else ""}"' if table.figures else ""
    return _wide(
        f'<table{kind}><caption class="unseen">{_shown(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>",
        caption,
    )


def _wide(content: str, label: str) -> str:
    """A box that scrolls where the screen is too narrow, by keyboard too."""
    return f'<div class="wide" tabindex="0" role="group" aria-label="{text_of(label)}">{content}</div>'


def _row(row: Sequence[str], shaded: bool) -> str:
    first, *rest = row
    most = max((int(cell) for cell in rest if cell.isdecimal()), default=0) if shaded else 0
    cells = (f'<td{_shade(cell, most)} dir="auto">{_shown(cell)}</td>' for cell in rest)
    return f'<tr><th scope="row" dir="auto">{_shown(first)}</th>{"".join(cells)}</tr>'


def _shade(cell: str, most: int) -> str:
    """The class of a count beside the largest of its row: 0 stands back."""
    if not most or not cell.isdecimal():
        return ""
    return f' class="shade{-(-int(cell) * SHADES // most)}"'


def _image(image: Image) -> str:
    drawing = image.path.with_suffix(".svg")
    path, kind = (drawing, "svg+xml") if drawing.is_file() else (image.path, "png")
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img src="data:image/{kind};base64,{data}" alt="{text_of(image.alt)}">'


def _compared(found: Compared, caption: str) -> str:
    table = _table(Table(PATH_HEADER, found.differences, figures=False), caption) if found.differences else ""
    return (
        f'<blockquote dir="auto">{_marked(found.request, "asked")}</blockquote>\n<div class="pair">'
        f'<figure><figcaption>Known</figcaption><pre dir="auto">{_marked(found.known, "known")}</pre></figure>'
        f'<figure><figcaption>Student</figcaption><pre dir="auto">{_marked(found.answer, "answer")}</pre></figure>'
        f"</div>{table}"
    )


def _marked(pieces: Sequence[str], kind: str) -> str:
    shown = (f'<mark class="{kind}">{_shown(text)}</mark>' if n % 2 else _shown(text) for n, text in enumerate(pieces))
    return "".join(shown)


def _explorer(title: str) -> str:
    """Empty until page.js fills it."""
    return (
        f'<section id="explorer" aria-label="{text_of(title)}">'
        "<noscript><p>Filtering needs JavaScript; all else on this page does not.</p></noscript></section>"
    )
