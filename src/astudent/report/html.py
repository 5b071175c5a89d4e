"""A document as one HTML file that needs nothing else: styles inside, plots embedded, every text escaped."""

import base64
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from astudent.report.document import Block, Bullets, Code, Document, Heading, Image, Paragraph, Table
from astudent.report.markdown import visible


def render_html(document: Document) -> str:
    """The whole page; light and dark by the reader's own setting."""
    title = next((block.text for block in document.blocks if isinstance(block, Heading)), "Report")
    style = files("astudent.report").joinpath("page.css").read_text(encoding="utf-8")
    body = "\n".join(_block(block) for block in document.blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(visible(text))


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_text(text)}</h{level}>"
        case Paragraph(text, strong):
            return f"<p><strong>{_text(text)}</strong></p>" if strong else f"<p>{_text(text)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in items) + "</ul>"
        case Table(header, rows, figures):
            return _table(header, rows, figures)
        case Code(text):
            return f"<pre>{_text(text)}</pre>"
        case Image(path, alt):
            data = base64.b64encode(path.read_bytes()).decode()
            return f'<img src="data:image/png;base64,{data}" alt="{_text(alt)}">'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], figures: bool) -> str:
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in header)
    body = "".join(_row(row) for row in rows)
    kind = ' class="figures"' if figures else ""
    return f'<div class="wide"><table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: Sequence[str]) -> str:
    first, *rest = row
    return f'<tr><th scope="row">{_text(first)}</th>' + "".join(f"<td>{_text(cell)}</td>" for cell in rest) + "</tr>"
