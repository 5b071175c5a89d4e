"""Drawings that follow the reader's colour scheme, also as an image inside a page."""

import re
from collections.abc import Iterable

DARK = {
    "#1c2430": "#e6e9ee",
    "#5b6675": "#a3adbb",
    "#9aa5b4": "#77828f",
    "#d8dde4": "#36404d",
    "#eceff3": "#272f39",
    "#ffffff": "#14181e",
    "#0072b2": "#4aa8e8",
    "#d55e00": "#ff8f45",
    "#009e73": "#35c39a",
    "#cc79a7": "#e39ac2",
    "#7f7f7f": "#a6a6a6",
    "#b8a000": "#d4bd20",
}
"""Colour on paper -> the same on a dark page; other colours are seen well on both."""
STYLED = re.compile(r'(?<=style=")[^"]*')
COLOUR = re.compile("|".join(DARK))


def following_scheme(svg: str) -> str:
    """The SVG with each colour of DARK in its styles as a variable, which a dark scheme sets otherwise."""
    coloured = STYLED.sub(lambda style: COLOUR.sub(_variable, style.group()), svg)
    dark = f"@media (prefers-color-scheme: dark) {{ svg {{ {_values(DARK.values())} }} }}"
    sheet = f"<style>svg {{ {_values(DARK)} }} {dark}</style>"
    head, tag, rest = coloured.partition("<defs>")
    return head + sheet + tag + rest


def _variable(found: re.Match[str]) -> str:
    return f"var(--c{found.group()[1:]})"


def _values(colours: Iterable[str]) -> str:
    return " ".join(f"--c{name[1:]}: {colour};" for name, colour in zip(DARK, colours, strict=True))
