"""The kinds of documents: a schema with its grade, how a document of it is drawn, and the layouts of its texts."""

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from astudent.records import Grade, Language
from astudent.tasks.documents import complex_accounts, complex_trade, medium, simple
from astudent.tasks.documents.draw import Document, Draw
from astudent.tasks.documents.layouts import Layouts, Text, parse_definitions, parse_layouts

FORMS = files("astudent.tasks.documents").joinpath("forms")


@dataclass(frozen=True)
class DocumentKind:
    """One schema of the benchmark. `draw` gives a document in Python's values (Decimal, date; None: absent)."""

    name: str
    grade: Grade
    schema: Document
    draw: Callable[[Draw], Document]

    def layouts(self, language: Language) -> Layouts:
        """The layouts of this kind's texts in one language."""
        return _layouts(self.grade, self.name, language)

    def document(self, draw: Draw) -> Document:
        """A drawn document as the JSON object that is to be found in its text."""
        return _plain(self.draw(draw))


def _kinds() -> dict[str, DocumentKind]:
    graded: dict[Grade, dict[str, Callable[[Draw], Document]]] = {
        "simple": simple.DRAWN_BY,
        "medium": medium.DRAWN_BY,
        "complex": complex_trade.DRAWN_BY | complex_accounts.DRAWN_BY,
    }
    return {
        name: DocumentKind(name, grade, json.loads(_form(grade, f"{name}.json")), draw)
        for grade, drawn in graded.items()
        for name, draw in drawn.items()
    }


def _form(grade: Grade, name: str) -> str:
    return FORMS.joinpath(grade, name).read_text(encoding="utf-8")


@cache
def _layouts(grade: Grade, name: str, language: Language) -> Layouts:
    return parse_layouts(_form(grade, f"{name}.{language}.txt"), _common(language))


@cache
def _common(language: Language) -> dict[str, tuple[Text, ...]]:
    source = files("astudent.tasks.documents").joinpath(f"common.{language}.txt").read_text(encoding="utf-8")
    return parse_definitions(source)


def _plain(value: Any) -> Any:
    """JSON's types: numbers without a scale (12.50 is 12.5), ISO dates; members that are None are left out."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value


SCHEMAS = _kinds()
"""Every kind by its schema's name, the simple ones first."""
