"""A layout filled with one document's values."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from astudent.tasks.documents.draw import Draw, words
from astudent.tasks.documents.layouts import Bracket, Layouts, Line, Slot, Text
from astudent.tasks.documents.notation import Notation

Json = Any
VOWELS = "aeiouéèêàâîôœ"  # not y: de Yasmine


def render(document: dict[str, Json], layouts: Layouts, name: str, notation: Notation, draw: Draw) -> str:
    """The text of a document in one layout. KeyError names a slot that the document lacks."""
    return _Rendering(layouts, notation, draw, [document]).document(layouts.layouts[name])


def elided(text: str) -> str:
    """`de Lyon`, `d'Angers`: the French preposition before a name."""
    return f"d'{text}" if text[0].casefold() in VOWELS else f"de {text}"


def with_article(text: str) -> str:
    """`a scarf`, `an umbrella`."""
    return f"{'an' if text[0].casefold() in 'aeiou' else 'a'} {text}"


class _Rendering:
    """`scope` holds the document, then the item of each loop around the place that is written."""

    def __init__(self, layouts: Layouts, notation: Notation, draw: Draw, scope: list[Json], number: int = 0) -> None:
        self._layouts, self._notation, self._draw = layouts, notation, draw
        self._scope, self._number = scope, number
        self.dated = False

    def document(self, lines: Sequence[Line]) -> str:
        written = "\n".join(text.rstrip() for line in self._in_order(lines) for text in self._line(line))
        while "\n\n\n" in written:
            written = written.replace("\n\n\n", "\n\n")
        if self.dated and self._notation.convention:
            written = f"{written.strip()}\n{self._notation.convention}"
        return written.strip()

    def _in_order(self, lines: Sequence[Line]) -> Iterator[Line]:
        for shuffled, group in groupby(lines, key=lambda line: line.shuffled):
            together = list(group)
            if shuffled:
                self._draw.rng.shuffle(together)
            yield from together

    def _line(self, line: Line) -> Iterator[str]:
        if line.condition and not self._holds(line.condition):
            return
        if not line.loop:
            yield self.text(line.text)
            return
        yield from self._items(line.loop, line.text)

    def _items(self, path: str, body: Text) -> Iterator[str]:
        for number, item in enumerate(self._value(path), start=1):
            inner = _Rendering(self._layouts, self._notation, self._draw, [*self._scope, item], number)
            yield inner.text(body)
            self.dated |= inner.dated

    def text(self, text: Text) -> str:
        return "".join(part if isinstance(part, str) else self._part(part) for part in text)

    def _part(self, part: Slot | Bracket) -> str:
        if isinstance(part, Slot):
            return self._slot(part)
        if part.sign == "*":
            return self._joined(part)
        return self.text(self._option(part))

    def _option(self, bracket: Bracket) -> Text:
        if not bracket.sign:
            return self._draw.rng.choice(bracket.options)
        first, *others = bracket.options
        second = others[0] if others else ()
        if bracket.sign == "?":
            return first if self._holds(bracket.path) else second
        value = self._value(bracket.path)
        count = len(value) if isinstance(value, list) else value
        is_one = count == 1 if self._notation.language == "en" else abs(count) < 2
        return first if is_one else second

    def _joined(self, loop: Bracket) -> str:
        body, between, last = loop.options
        written = list(self._items(loop.path, body))
        if len(written) == 1:
            return written[0]
        return self.text(between).join(written[:-1]) + self.text(last) + written[-1]

    def _slot(self, slot: Slot) -> str:
        if slot.path == "#":
            return str(self._number)
        if slot.sign == "@":
            return self._filtered(self._defined(slot.path), slot.filter)
        if slot.sign == "~":
            return self._draw.distractor(slot.path)
        value = self._value(slot.path)
        label = f"{slot.path.rpartition('.')[2]}.{value}"
        if isinstance(value, str) and label in self._layouts.definitions:
            value = self._defined(label)
        return self._filtered(value, slot.filter)

    def _defined(self, name: str) -> str:
        return self.text(self._draw.rng.choice(self._layouts.definitions[name]))

    def _filtered(self, value: Json, name: str) -> str:
        if name in ("d", "wd"):
            self.dated = True
        return self._filters()[name](value)

    def _filters(self) -> dict[str, Callable[[Any], str]]:
        says = self._notation
        return {
            "": lambda value: value if isinstance(value, str) else _plain(value, says),
            "n": says.number,
            "m": says.money,
            "r": says.round_money,
            "b": says.bare_money,
            "p": says.percent,
            "w": says.words,
            "d": says.date,
            "wd": lambda value: says.date(value, weekday=True),
            "ym": says.month,
            "t": says.time,
            "cap": lambda value: value[:1].upper() + value[1:],
            "de": elided,
            "a": with_article,
            "un": lambda value: f"{'une' if value in words('fr', 'feminine') else 'un'} {value}",
        }

    def _holds(self, condition: str) -> bool:
        path, _, wanted = condition.removeprefix("!").partition("=")
        try:
            value = self._value(path)
        except KeyError:
            value = None
        holds = str(value) == wanted if wanted else value is not None and value is not False and value != []
        return holds is not condition.startswith("!")

    def _value(self, path: str) -> Json:
        if path == ".":
            return self._scope[-1]
        first, *rest = path.split(".")
        holders = [scope for scope in self._scope if isinstance(scope, dict) and first in scope]
        if not holders:
            raise KeyError(path)
        value = holders[-1][first]
        for step in rest:
            value = value[step]
        return value


def _plain(value: float, says: Notation) -> str:
    """A whole number as it stands (a year has no groups), any other one with the language's decimal sign."""
    return str(value) if isinstance(value, int) else says.number(value)
