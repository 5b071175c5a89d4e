"""Markdown and HTML: whatever a text holds, it stays text."""

import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from astudent.report.document import Bullets, Code, Document, Heading, Image, Paragraph, Table
from astudent.report.html import render_html
from astudent.report.markdown import escape, render_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "# no heading",
    "- no list",
    "1. no list",
    "a | b",
    "![x](http://example.org/x.png)",
    "`code` **bold** _em_ ~~gone~~ &lt;b&gt;",
    "```\nfence",
    "\u202eright to left",
    "line\nbreak\x00\x1b[31m",
    "=== ",
    "\\| escaped",
    "</pre></table>",
]


class Tags(HTMLParser):
    """Counts the tags that a browser would see, and keeps the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def tags_of(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser


def page(text: str) -> Document:
    return Document(
        [
            Heading("t", 1),
            Heading(text),
            Paragraph(text),
            Bullets([text]),
            Table(["", text], [[text, text]]),
            Code(text),
        ]
    )


def test_hostile_texts_stay_text_in_both_pages():
    plain = page("plain")
    for text in HOSTILE:
        document = page(text)
        assert tags_of(render_html(document)).tags == tags_of(render_html(plain)).tags, text
        shown = [MarkdownIt("commonmark").enable("table").render(render_markdown(d, Path())) for d in (document, plain)]
        assert tags_of(shown[0]).tags == tags_of(shown[1]).tags, text


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), min_size=1))
def test_escaped_markdown_reads_as_the_text(text: str):
    html = MarkdownIt("commonmark").render(f"x {escape(text)} x")
    assert tags_of(html).text.split() == ["x", *text.split(), "x"]


def test_invisible_characters_are_spelled_out():
    assert escape("a\u202eb") == "aU+202Eb"
    assert "U+202E" in render_html(Document([Paragraph("\u202e")]))


def test_a_rate_at_the_start_of_a_cell_needs_no_escape():
    assert "| 0.5% |" in render_markdown(Document([Table(["a", "b"], [["0.5%", "1. x"]])]), Path())


def test_a_page_needs_nothing_from_outside(tmp_path: Path):
    plot = tmp_path / "plots" / "p.png"
    plot.parent.mkdir()
    plot.write_bytes(b"\x89PNG")
    document = Document([Heading("t", 1), Image(plot, "a <plot>")])
    html = render_html(document)
    assert not re.search(r"https?://|src=\"(?!data:)|href=|url\(", html)
    assert 'alt="a &lt;plot&gt;"' in html
    assert "![a \\<plot\\>](plots/p.png)" in render_markdown(document, tmp_path)
