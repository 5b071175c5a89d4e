"""Broken JSON -> sound JSON, with a list of everything that was changed; sound JSON stays as it is, byte for byte.

Written here: the library for it (json-repair 0.64) logs only some of what it does, leaves out members, writes numbers anew
and takes quadratic time. Here every change is an edit of the text, whatever has no single reading is refused, and
the time is linear.
"""

import re
from dataclasses import dataclass
from typing import Any

from astudent.errors import RunError
from astudent.json_texts.changes import Change
from astudent.json_texts.extract import Found, values_in
from astudent.json_texts.loose import Loose, read_loosely
from astudent.json_texts.loose_strings import NEXT_KEY
from astudent.roles import JsonSyntaxError
from astudent.roles.scan import scan

HINT = "Look at the values with `astudent extract`."
_BEGAN = re.compile(r'"\s*:\s*"?\s*\Z')
_GOES_ON = re.compile(rf"[\s\]}}]*+[,:]\s*+(?:{NEXT_KEY.pattern}|[\"{{\[])")


@dataclass(frozen=True, slots=True)
class Repair:
    """The sound text, what was changed in the order of the text (empty: nothing), and what the schema still objects to."""

    text: str
    changes: list[Change]
    problems: list[str]


def repair(text: str, schema: dict[str, Any] | None = None) -> Repair:
    """The one JSON value that `text` is meant to be; with a schema also those values of it mended that allow one reading.

    RunError where there is no value, more than one, or a fault with several readings (it names line and column);
    LimitError for a text that is too long, too deep or too broken.
    """
    mended, changes = _sound(text)
    if schema is None:
        return Repair(mended, changes, [])
    from astudent.json_texts.mend import mend  # jsonschema costs a repair without a schema more than all the rest

    by_schema = mend(mended, schema)
    return Repair(by_schema.text, changes + by_schema.changes, by_schema.problems)


def _sound(text: str) -> tuple[str, list[Change]]:
    if scan(text, lenient=True).fault is None:
        return text, []
    found = _the_one(text, _readings(text))
    scan(found.text)  # what goes out is JSON, whatever the reading did
    return found.text, _around(text, found)


def _readings(text: str) -> list[Loose]:
    """The values of the text, each read loosely where it is not sound; those inside another one left out."""
    readings: list[Loose] = []
    at = 0
    for found in values_in(text):
        if found.start >= at and not found.inside:
            readings.append(_reading(text, found))
            at = readings[-1].end
    return readings


def _reading(text: str, found: Found) -> Loose:
    if found.state == "sound":
        return Loose(found.start, found.end, found.text, [])
    return read_loosely(text, found.start)


def _the_one(text: str, readings: list[Loose]) -> Loose:
    if len(readings) > 1:  # thoughts with something like JSON in them before the one sound answer
        sound = [reading for reading in readings if not reading.changes]
        readings = sound if len(sound) == 1 else readings
    if not readings:
        raise RunError("there is no object or array in the text", "Give a text that holds JSON.")
    if len(readings) > 1:
        places = ", ".join(str(reading.start) for reading in readings[:5])
        raise RunError(f"{len(readings)} values in the text (at characters {places}): which is meant is open", HINT)
    return readings[0]


def _around(text: str, found: Loose) -> list[Change]:
    """The changes, with the text that was taken off on both sides."""
    before, after = text[: found.start], text[found.end :]
    if _BEGAN.search(before[-200:]):
        raise JsonSyntaxError(text, found.start, "the value seems to be part of one whose beginning is missing")
    if _GOES_ON.match(after):
        raise JsonSyntaxError(text, found.end, "the value ends here, and more of it seems to follow")
    changes = [Change("text before the value taken off", before, "", position=0)] if before.strip() else []
    changes += found.changes
    if after.strip():
        changes.append(Change("text after the value taken off", after, "", position=found.end))
    return changes
