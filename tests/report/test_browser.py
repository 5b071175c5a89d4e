"""The page in a real Chromium: the filter, hostile texts, the keyboard, small and dark screens."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from astudent.evaluation.results import ResultRow
from astudent.report.document import Document, Heading, Paragraph, Table
from astudent.report.explorer import explorer
from astudent.report.html import render_html
from astudent.report.runs import EvaluatedRun
from astudent.report.samples import samples

Make = Callable[..., ResultRow]
Open = Callable[..., Page]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

SLOW = 1000  # milliseconds; ten times what a reader may have to wait
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<svg onload=alert(3)>\u202eevil\u2066\x00&lt;b&gt; https://example.org/x"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def write_page(folder: Path, rows: list[ResultRow], title: str) -> Path:
    run = EvaluatedRun("SFT", folder, rows, {"run": {}})
    document = Document([Heading(title, 1), Heading("Table"), Table([title] * 9, [[title] * 9]), Paragraph(title)])
    document.add(*samples(run, [run]), *explorer([run], run))
    path = folder / "report.html"
    path.write_text(render_html(document), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens rows as a page from disk; at the end nothing was logged, asked, or fetched from outside the file."""
    context, trouble = browser.new_context(), list[str]()

    def open_rows(rows: list[ResultRow], title: str = "t") -> Page:
        path = write_page(tmp_path, rows, title)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}") or dialog.dismiss())
        page.on("request", lambda request: trouble.extend({request.url} - {path.as_uri()}))
        page.goto(path.as_uri())
        return page

    yield open_rows
    context.close()
    assert trouble == []


def status(page: Page) -> str:
    return page.get_by_role("status").inner_text()


def test_two_thousand_answers_filter_at_once(open_page: Open, make_result: Make):
    page = open_page([make_result(n, n % 4 == 0) for n in range(2000)])
    assert status(page) == "2,000 of 2,000 answers, 500 right, 1 to 25 shown"
    page.get_by_label("what went wrong").select_option("any")
    page.get_by_label("language").select_option("en")
    assert status(page).startswith("667 of 2,000 answers")
    page.get_by_label("words").fill("(99 below")
    assert status(page).startswith("0 of")
    page.get_by_label("words").fill("ABOVE (99")
    assert status(page) == "5 of 2,000 answers, 1 right, 1 to 5 shown"
    page.get_by_label("order").select_option("best first")
    assert page.locator(".badge").all_inner_texts() == ["right", *["operator wrong"] * 4]
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Next").click()
    assert status(page).endswith("26 to 50 shown")
    times = page.evaluate("performance.getEntriesByName('filter', 'measure').map(entry => entry.duration)")
    print(f"filtering 2,000 answers: {', '.join(f'{time:.1f}' for time in times)} ms")
    assert len(times) >= 6 and max(times) < SLOW


def test_an_answer_opens_by_keyboard_with_what_differs(open_page: Open, make_result: Make):
    page = open_page([make_result(0, False)])
    page.locator(".answers summary").focus()
    page.keyboard.press("Enter")
    opened = page.locator(".answers details")
    assert opened.locator("mark.known").inner_text() == '"operator": "gt"'
    assert opened.locator("mark.answer").inner_text() == '"operator": "lt"'
    assert opened.locator("tbody tr").inner_text().split() == ["where.operator", '"gt"', '"lt"']
    assert "5" in opened.locator("mark.asked").all_inner_texts()


def test_hostile_texts_stay_text(open_page: Open, make_result: Make):
    texts = {
        name: HOSTILE for name in ("query_id", "schema_id", "query", "teacher_reason", "trap", "student_canonical")
    }
    known = {"where": {"field": HOSTILE, "operator": HOSTILE, HOSTILE: HOSTILE}}
    rows = [make_result(0, False, ast_json=known, **texts), make_result(1, False, text=HOSTILE, parsed=False, **texts)]
    page = open_page([*rows, make_result(2, True)], HOSTILE)
    for summary in page.locator(".answers summary").all():
        summary.click()
    for element in ("h1", "tbody td >> nth=0", ".answers summary >> nth=0", ".answers pre >> nth=0", ".facts >> nth=0"):
        shown = page.locator(element).text_content() or ""
        assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in shown, element
        assert "U+202EevilU+2066" in shown and "\u202e" not in shown, element
    assert page.locator("main img, main svg").count() == 0


def test_a_megabyte_is_cut(open_page: Open, make_result: Make):
    long = "x" * 1_000_000
    page = open_page([make_result(0, False, query=long, text=long, parsed=False, ast_json={"a": long})])
    page.locator(".answers summary").click()
    assert "(1,000,000 characters)" in page.locator(".answers summary").inner_text()
    assert len(page.content()) < 200_000


def test_what_got_in_could_do_nothing(browser: Browser, tmp_path: Path, make_result: Make):
    page = browser.new_page()
    page.goto(write_page(tmp_path, [make_result(0, True)], "t").as_uri())
    blocked = page.evaluate(
        """async () => {
            const seen = [];
            document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
            document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/x.png" }));
            try { document.body.innerHTML = "<b>x</b>"; } catch (error) { seen.push(error.name); }
            await new Promise((resolve) => setTimeout(resolve, 200));
            return seen;
        }"""
    )
    assert "img-src" in blocked and "TypeError" in blocked
    page.close()


def test_it_fits_a_phone_and_follows_the_colour_scheme(browser: Browser, tmp_path: Path, make_result: Make):
    uri = write_page(tmp_path, [make_result(n, n > 2, query="word " * 60) for n in range(9)], "x" * 90).as_uri()
    paper = set[str]()
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 360, "height": 700}, color_scheme=scheme)
        page.goto(uri)
        page.locator(".answers summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        paper.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(paper) == 2


def test_the_first_tab_skips_to_the_report(open_page: Open, make_result: Make):
    page = open_page([make_result(0, True)])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.get_by_role("navigation", name="Contents").get_by_role("link").count() >= 2
