"""What the sub-commands share: what they print, and how a run over many texts ends."""

import json
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from astudent.errors import RunError
from astudent.report.markdown import visible

if TYPE_CHECKING:
    from astudent.json_texts.source import Text


def print_object(value: dict[str, Any]) -> None:
    """One line of JSON; on a terminal all but ASCII is escaped, since a stranger's text may steer it."""
    print(json.dumps(value, ensure_ascii=sys.stdout.isatty(), allow_nan=False))


def named(text: "Text") -> dict[str, Any]:
    """Where the text comes from, as the first fields of its object."""
    return {"file": text.file, "line": text.line, "id": text.id}


def for_each(
    texts: "Iterable[Text]",
    show: "Callable[[Text], bool]",
    what: str,
    as_json: bool,
    summary: Callable[[], None] = lambda: None,
) -> None:
    """Shows every text, then the summary; `show` says whether a text is good. RunError at the end when one was not."""
    total = bad = 0
    for text in texts:
        total += 1
        try:
            is_good = show(text)
        except RunError as error:
            is_good = False
            note(f"{text.where}: {error.message}. {error.hint}".rstrip(". "))
            if as_json:
                print_object(named(text) | {"error": error.message})
        bad += not is_good
    summary()
    if bad:
        raise RunError(f"{bad} of {total} texts {what}")


def safe(text: str, keep: str = "") -> str:
    """What goes to a terminal, with control characters spelled out; to a pipe or file as it is."""
    if not sys.stdout.isatty():
        return text
    return "".join(each if each in keep else visible(each) for each in text)


def short(text: str) -> str:
    """A text in quotation marks, at most 60 characters of it."""
    return repr(text if len(text) <= 60 else text[:59] + "…")


def note(line: str) -> None:
    """One line on stderr."""
    print(visible(" ".join(line.splitlines())), file=sys.stderr)
