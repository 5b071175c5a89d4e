"""A document as one HTML file that needs nothing else: styles and script inside, plots embedded, every text escaped.

Its content security policy lets in what stands in the file, by hash, and nothing from anywhere.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files

from astudent.report.document import Block, Document, Explorer, Heading
from astudent.report.html_blocks import render_block, text_of
from astudent.report.markdown import INVISIBLE

BETWEEN = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}
"""Inside a script element, what could end it or begin a comment."""


def render_html(document: Document) -> str:
    """The whole page; light and dark by the reader's own setting."""
    title = next((block.text for block in document.blocks if isinstance(block, Heading)), "Report")
    style, script = _shipped("page.css"), _script(document)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text_of(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">Skip to the report</a>\n{_contents(document.blocks)}'
        f'<main id="main" tabindex="-1">\n{_body(document.blocks)}\n</main>\n'
        f"{f'<script>{script}</script>' if script else ''}</body>\n</html>\n"
    )


def _body(blocks: Sequence[Block]) -> str:
    """The blocks; a heading of level 2 can be linked to, and names the tables below it."""
    rendered, caption, sections = list[str](), "", 0
    for block in blocks:
        if isinstance(block, Heading):
            caption = block.text
            sections += block.level == 2
        rendered.append(render_block(block, caption, sections))
        if isinstance(block, Explorer):
            rendered.append(f'<script type="application/json" id="answers">{_data(block)}</script>')
    return "\n".join(rendered)


def _contents(blocks: Sequence[Block]) -> str:
    """Links to the sections; nothing where there are none."""
    titles = [block.text for block in blocks if isinstance(block, Heading) and block.level == 2]
    links = "".join(f'<li><a href="#s{number}">{text_of(title)}</a></li>' for number, title in enumerate(titles, 1))
    return f'<nav aria-label="Contents"><ol>{links}</ol></nav>\n' if titles else ""


def _script(document: Document) -> str:
    """The page's script, where it has something to filter."""
    return _shipped("page.js") if any(isinstance(block, Explorer) for block in document.blocks) else ""


def _data(block: Explorer) -> str:
    """As JSON in ASCII, so that half a surrogate pair is no matter, without a character that HTML heeds."""
    return json.dumps({**block.data, "invisible": INVISIBLE.pattern}, separators=(",", ":")).translate(BETWEEN)


def _policy(style: str, script: str) -> str:
    allowed = {"style": _hash(style), "script": _hash(script) if script else "'none'"}
    sources = "".join(f"; {kind}-src {source}" for kind, source in allowed.items())
    more = "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    return f"default-src 'none'; img-src data:{sources}; {more}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _shipped(name: str) -> str:
    return files("astudent.report").joinpath(name).read_text(encoding="utf-8")
