"""The sentences that messages are composed of, read from phrases/LANGUAGE/*.txt.

A file has sections (`== name`) of one template per line. Templates after `* ` are held out: no training row uses them.
"""

import functools
from dataclasses import dataclass
from importlib.resources import files

from astudent.records import Language


@dataclass(frozen=True)
class Section:
    """The templates of one section, those for all rows and those for test rows only."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.trained + self.held_out


def section(language: Language, file: str, name: str) -> Section:
    """The templates of a section; KeyError where the file has none of that name."""
    lines = _sections(language, file)[name]
    held_out = tuple(line.removeprefix("* ") for line in lines if line.startswith("* "))
    return Section(tuple(line for line in lines if line and not line.startswith("* ")), held_out)


def asks(language: Language, intent: str) -> Section:
    """How customers ask for what `intent` stands for."""
    return section(language, "asks", intent)


def block(language: Language, file: str, name: str) -> str:
    """A section as one text, its line breaks kept."""
    return "\n".join(_sections(language, file)[name])


def denied(language: Language, intent: str) -> str:
    """The noun that names an intent in a sentence which denies it ("a refund", "d'un remboursement")."""
    pairs = (line.split(" = ") for line in _sections(language, "traps")["denied"])
    return next(noun for name, noun in pairs if name == intent)


@functools.cache
def _sections(language: Language, file: str) -> dict[str, list[str]]:
    text = (files("astudent.tasks.support") / "phrases" / language / f"{file}.txt").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("== "):
            found[line[3:]] = []
        else:
            found[list(found)[-1]].append(line)
    return found
