"""Texts with marks: JSON laid out for reading with its differing parts marked, and a request with the words they concern."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from astudent.evaluation.words import words
from astudent.language.serialise import dumps
from astudent.report.ast_diff import Difference, Place
from astudent.report.formats import cut

Marked = Sequence[str]
"""A text in pieces; every second one, from the second on, is marked."""
Json = Any
Piece = tuple[str, bool]

WIDTH = 62  # characters of a line, its indent included, that a part of an AST may fill before it is broken up
MOST_PIECE = 1500  # characters of one piece that are shown
MOST_CHARACTERS = 6000  # of all pieces, but for the last
MOST_REQUEST = 2000  # characters of a request
WORD = re.compile(r"\d[\d.,-]*\d|[^\W_]+")


def marked_json(value: Json, places: Collection[Place]) -> Marked:
    """The JSON with the members and items at `places` marked; what is long is cut, with its length said."""
    return bounded(_pieces(value, (), frozenset(places), 0, () in places))


def marked_request(query: str, known: Json, found: Iterable[Difference]) -> Marked:
    """The request, with the words marked that occur in what differs of the known AST; cut, with its length said."""
    wanted = {word for difference in found for word in _words_near(known, difference)}
    text, start, pieces = cut(query, MOST_REQUEST), 0, list[Piece]()
    for match in WORD.finditer(text):
        said = words(match.group())
        if said and wanted.issuperset(said):
            pieces += [(text[start : match.start()], False), (match.group(), True)]
            start = match.end()
    return _alternating([*pieces, (text[start:], False)])


def bounded(pieces: Iterable[Piece]) -> Marked:
    """The pieces, at most so long that a page bears thousands of them."""
    shown, length = list[str](), 0
    alternating = _alternating(pieces)
    for number, text in enumerate(alternating):
        if length > MOST_CHARACTERS:
            left = sum(map(len, alternating[number:]))
            return [*shown, *([""] * (number % 2)), f" … ({left:,} more characters)"]
        shown.append(cut(text, MOST_PIECE))
        length += len(shown[-1])
    return shown


def _alternating(pieces: Iterable[Piece]) -> list[str]:
    """Neighbours of one kind are joined; the first piece is plain, and empty where the text begins with a mark."""
    joined = [
        (marked, "".join(text for text, _ in group))
        for marked, group in groupby(filter(itemgetter(0), pieces), itemgetter(1))
    ]
    return [*([""] if joined and joined[0][0] else []), *(text for _, text in joined)]


def _words_near(known: Json, difference: Difference) -> list[str]:
    """The words of a differing part; where it is one entry of a flat object, of that object's other entries too."""
    if not difference.known_at:
        return []
    node = known
    for step in difference.known_at[:-1]:
        node = node[step]
    is_flat = isinstance(node, dict) and not any(isinstance(item, dict) for item in node.values())
    return words(cut(" ".join(_scalars(node if is_flat else difference.known)), MOST_REQUEST))


def _scalars(value: Json) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _scalars(item)
    else:
        yield str(value)


def _pieces(value: Json, at: Place, places: frozenset[Place], indent: int, is_marked: bool) -> Iterator[Piece]:
    if not isinstance(value, dict | list) or not value:
        yield dumps(value), is_marked
        return
    is_broken = len(value) > 1 and _one_line(value, at, indent) > WIDTH
    inner = indent + 2 if is_broken else indent
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield opening, is_marked
    for number, step in enumerate(value if isinstance(value, dict) else range(len(value))):
        yield "," if number else "", is_marked
        yield (_line(inner), False) if is_broken else (" " if number else "", is_marked)
        inside = is_marked or (*at, step) in places
        yield (dumps(step) + ": " if isinstance(value, dict) else ""), inside
        yield from _pieces(value[step], (*at, step), places, inner, inside)
    yield _line(indent) if is_broken else "", False
    yield closing, is_marked


def _one_line(value: Json, at: Place, indent: int) -> int:
    """The length of the line, were the value on one: indent, key and comma included."""
    key = at[-1] if at else None
    label = len(dumps(key)) + len(": ") if isinstance(key, str) else 0
    return indent + label + len(json.dumps(value, ensure_ascii=False)) + len(",")


def _line(indent: int) -> str:
    return "\n" + " " * indent
