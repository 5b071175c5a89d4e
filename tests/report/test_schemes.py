"""Drawings follow the colour scheme."""

from pathlib import Path
from xml.etree import ElementTree

from astudent.report.plots import RatePoint, plot_slices, said
from astudent.report.schemes import DARK, following_scheme


def test_only_styles_change_their_colours():
    svg = '<svg><defs/><g style="fill: #1c2430; stroke: #0072b2"><text>#1c2430</text></g><defs></defs></svg>'
    drawn = following_scheme(svg)
    assert 'style="fill: var(--c1c2430); stroke: var(--c0072b2)"' in drawn
    assert "<text>#1c2430</text>" in drawn
    assert f"--c1c2430: {DARK['#1c2430']};" in drawn.partition("prefers-color-scheme: dark")[2]


def test_labels_from_the_data_are_drawn_as_they_are(tmp_path: Path):
    labels = ["$x$", "$\\frac", "a\u202eb\x00", "&<script>", "z" * 1_000_000]
    points = [RatePoint(label, 0.5, 0.25, 0.75, 8) for label in labels]
    plot_slices(tmp_path / "p.png", {"operator": points}, "rate")
    drawn = (tmp_path / "p.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(drawn)
    assert not any(element.tag.endswith("script") for element in root.iter())
    assert len(drawn) < 300_000
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"


def test_a_plot_is_told_with_its_numbers():
    assert said({"language": [RatePoint("en", 0.5, 0.25, 0.75, 8)]}) == "language: en 50% (25 to 75, n=8)."
