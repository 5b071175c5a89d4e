"""Sound JSON that a schema objects to -> the same with those values mended that allow exactly one reading.

"Open" is the enum's "open", "true" is true where a boolean is wanted, "3" is 3 where a number is, 3 is "3" where a
string is. Nothing else is touched: the edit replaces the value's own characters.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema.exceptions import ValidationError

from astudent.errors import RunError
from astudent.json_texts.changes import Change
from astudent.json_texts.verdict import children_of, joined, judge, plain
from astudent.language.validation import Validator, validator_for
from astudent.roles.scan import scan
from astudent.roles.value import Value, identity_of

MAX_PLACES = 20
"""Values of one text that are tried on their own, where all at once does not do; each trial is three validations."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,3})?")
_WORDS = {"boolean": {"true": True, "false": False}, "null": {"null": None, "none": None}}
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mended:
    """The text, what was changed, and what the schema still objects to (`path: reason`)."""

    text: str
    changes: list[Change]
    problems: list[str]


def mend(text: str, schema: dict[str, Any]) -> Mended:
    """`text` must be sound JSON. RunError for a schema that cannot be used."""
    validator = validator_for(schema)
    root = scan(text).root
    assert root is not None
    instance, changes = plain(root), []
    for path, after in _mended(instance, validator):
        changes.append((_at(root, path), path, after))
    changes.sort(key=lambda change: change[0].start)
    edited = _edited(text, changes)
    problems = [f"{p.path or 'the value'}: {p.reason}" for p in judge(edited, validator).problems]
    return Mended(edited, [_change(text, *change) for change in changes], problems)


def _mended(instance: Any, validator: Validator) -> Iterator[tuple[Path, Any]]:
    """Puts values of `instance` right: first all that have one candidate, then one after the other."""
    certain = {path: found[0] for path, found in _places(instance, validator).items() if len(found) == 1}
    yield from _all_at_once(instance, certain, validator).items()
    for path, candidates in list(_places(instance, validator).items())[:MAX_PLACES]:
        fitting = [candidate for candidate in candidates if _helps(instance, path, candidate, validator)]
        if len(fitting) == 1:
            _put(instance, path, fitting[0])
            yield path, fitting[0]


def _places(instance: Any, validator: Validator) -> dict[Path, list[Any]]:
    """The values that an error speaks of and that have other readings, with these."""
    wanted: dict[Path, list[Any]] = {}
    for error in _leaves(validator, instance):
        known = wanted.setdefault(tuple(error.absolute_path), [])
        known += [each for each in _readings(error) if identity_of(each) not in map(identity_of, known)]
    return {path: candidates for path, candidates in wanted.items() if path and candidates}


def _all_at_once(instance: Any, readings: dict[Path, Any], validator: Validator) -> dict[Path, Any]:
    """Puts the readings in, and takes those out again that the schema objects to: two validations for any number."""
    before = {path: _get(instance, path) for path in readings}
    for path, reading in readings.items():
        _put(instance, path, reading)
    objections = _objections(validator, instance)
    refused = [path for path in readings if any(path[:size] in objections for size in range(1, len(path) + 1))]
    if () in objections:
        refused = list(readings)
    for path in refused:
        _put(instance, path, before[path])
    return {path: reading for path, reading in readings.items() if path not in refused}


def _objections(validator: Validator, instance: Any) -> set[Path]:
    """Where the schema objects to a scalar, or to every branch of a choice."""
    try:
        errors = validator.errors(instance)
    except RunError:
        return {()}
    return {
        tuple(error.absolute_path) for error in errors if error.context or not isinstance(error.instance, dict | list)
    }


def _leaves(validator: Validator, instance: Any) -> Iterator[ValidationError]:
    """The errors, those below a choice instead of the choice's own."""
    try:
        pending = list(reversed(validator.errors(instance)))
    except RunError:
        return
    while pending:
        error = pending.pop()
        yield error
        pending += reversed(error.context or [])


def _readings(error: ValidationError) -> list[Any]:
    """What the scalar at fault may have been meant as, by the keyword that objects to it."""
    value: Any = error.instance
    wanted: Any = error.validator_value
    if isinstance(value, dict | list):
        return []
    if error.validator == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return [reading for kind in kinds for reading in _as_kind(value, kind)]
    if error.validator in ("enum", "const"):
        options = wanted if error.validator == "enum" else [wanted]
        return [each for each in options if _same_but_for_form(value, each)]
    return []


def _as_kind(value: Any, kind: str) -> list[Any]:
    if isinstance(value, str):
        word = value.strip().lower()
        if kind in _WORDS:
            return [_WORDS[kind][word]] if word in _WORDS[kind] else []
        if kind in ("integer", "number") and _NUMBER.fullmatch(value.strip()):
            return [json.loads(value)]
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return [json.dumps(value)]
    return []


def _same_but_for_form(value: Any, option: Any) -> bool:
    """Whether they differ in case, outer blanks or quotation marks alone."""
    if isinstance(option, dict | list):
        return False
    written = option if isinstance(option, str) else json.dumps(option)
    given = value if isinstance(value, str) else json.dumps(value)
    return given.strip().casefold() == written.strip().casefold()


def _helps(instance: Any, path: Path, candidate: Any, validator: Validator) -> bool:
    """Whether the schema objects to less with the candidate in place, and to nothing at that place."""
    before = _get(instance, path)
    worse = len(list(_leaves(validator, instance)))
    _put(instance, path, candidate)
    objections, left = _objections(validator, instance), len(list(_leaves(validator, instance)))
    _put(instance, path, before)
    return left < worse and path not in objections


def _get(instance: Any, path: Path) -> Any:
    for step in path:
        instance = instance[step]
    return instance


def _put(instance: Any, path: Path, value: Any) -> None:
    _get(instance, path[:-1])[path[-1]] = value


def _at(root: Value, path: Path) -> Value:
    for step in path:
        root = dict(children_of(root))[step]
    return root


def _edited(text: str, changes: list[tuple[Value, Path, Any]]) -> str:
    for value, _, after in reversed(changes):
        text = text[: value.start] + _written(after) + text[value.end :]
    return text


def _change(text: str, value: Value, path: Path, after: Any) -> Change:
    where = ""
    for step in path:
        where = joined(where, step)
    return Change(_what(value, after), text[value.start : value.end], _written(after), path=where)


def _what(value: Value, after: Any) -> str:
    if isinstance(after, str) and value.kind == "string":
        return "spelling of the schema"
    kind = (
        "null"
        if after is None
        else "boolean"
        if isinstance(after, bool)
        else "string"
        if isinstance(after, str)
        else "number"
    )
    return f"{kind} where a {value.kind} stood"


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
