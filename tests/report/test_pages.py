"""Markdown and HTML: whatever a text holds, it stays text."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from astudent.report.document import Bullets, Compared, Document, Explorer, Heading, Image, Paragraph, Table
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
    "</script><!-- <script>",
    "\ud800",
]


class Tags(HTMLParser):
    """The tags that a browser would see, but for those around an invisible character's name; and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if attrs != [("class", "control")]:
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
            Compared([text, text], [text], [text, text], [(text, text, text)]),
            Explorer(text, {"answers": [text]}),
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
    assert not re.search(r"https?://|src=\"(?!data:)|href=\"(?!#)|url\(|@import", html)
    assert 'alt="a &lt;plot&gt;"' in html and "data:image/png" in html
    assert "![a \\<plot\\>](plots/p.png)" in render_markdown(document, tmp_path)
    plot.with_suffix(".svg").write_text("<svg/>")
    assert "data:image/svg+xml" in render_html(document)


def test_the_policy_lets_in_what_stands_in_the_file_and_nothing_else():
    html = render_html(page("x"))
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', html)
    for kind, text in re.findall(r"<(style|script)>(.*?)</", html, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    assert "style=" not in html and not re.search(r"<[^>]* on\w+=", html)
    assert "script-src 'none'" in render_html(Document([Paragraph("x")]))


def test_a_text_inside_the_data_comes_back_as_it_was():
    for text in HOSTILE:
        (data,) = re.findall(r'<script type="application/json" id="answers">(.*?)</script>', render_html(page(text)))
        assert json.loads(data)["answers"] == [text]


def test_sections_are_linked_and_tables_named():
    html = render_html(Document([Heading("t", 1), Heading("One & two"), Table(["", "b"], [["c", "d"]])]))
    assert '<a href="#s1">One &amp; two</a>' in html and '<h2 id="s1"' in html
    assert '<caption class="unseen">One &amp; two</caption>' in html
    assert '<td></td><th scope="col" dir="auto">b</th>' in html and '<th scope="row" dir="auto">c</th>' in html


def test_markdown_is_whole_without_the_filter():
    blocks = [Heading("t"), Compared(["a ", "5"], ['{"a": ', "5", "}"], ["no"], [("a", "5", "6")])]
    told = render_markdown(Document(blocks), Path())
    assert "a 5\n" in told and '{"a": 5}' in told and "| a | 5 | 6 |" in told
    assert render_markdown(Document([*blocks, Explorer("e", {})]), Path()) == told
