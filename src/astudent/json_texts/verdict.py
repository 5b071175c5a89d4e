"""Is a text sound JSON, without repeated names, and valid under a schema?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from astudent.errors import RunError
from astudent.language.explanations import path_and_reason
from astudent.language.validation import Validator
from astudent.roles import JsonSyntaxError, Limits
from astudent.roles.scan import scan
from astudent.roles.value import Value

_NO_PATH = frozenset(".[]")
LIMITS = Limits(depth=500)
"""Bounds on one text that is judged or compared: a deeper one counts as no JSON."""
MAX_PROBLEMS = 20
"""Problems that are listed for one text."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind`: the text is not JSON, a name is repeated, or the schema objects. `path`: `items[0].price`, empty: the whole."""

    kind: Literal["syntax", "repeated name", "schema"]
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The problems of one text, at most MAX_PROBLEMS; it is valid when there are none."""

    problems: list[Problem]

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def judge(text: str, validator: Validator | None = None) -> Verdict:
    """What is wrong with the text; without a validator its grammar and its names alone. LimitError: far too long."""
    try:
        root = scan(text, limits=LIMITS).root
    except JsonSyntaxError as error:
        return Verdict([Problem("syntax", "", error.message)])
    assert root is not None
    problems = list(_repeated(root))
    if validator is not None:
        problems += _against(validator, plain(root))
    return Verdict(problems[:MAX_PROBLEMS])


def plain(root: Value) -> Any:
    """The value as Python's own types; of a repeated name the last. Any depth, and numbers of any length."""
    top: list[Any] = [None]
    pending: list[tuple[Any, Any, Value]] = [(top, 0, root)]
    while pending:
        into, key, value = pending.pop()
        if value.kind == "object":
            into[key] = made = dict.fromkeys(value.data)  # keeps the order of the names
            pending += [(made, name, child) for name, child in value.data.items()]
        elif value.kind == "array":
            into[key] = made = [None] * len(value.data)
            pending += [(made, index, child) for index, child in enumerate(value.data)]
        else:
            into[key] = value.data
    return top[0]


def _repeated(root: Value) -> Iterator[Problem]:
    pending = [("", root)]
    while pending:
        path, value = pending.pop()
        for name, _ in value.repeated or ():
            yield Problem("repeated name", path, f"the name {name!r} occurs again; only the last one counts")
        pending += reversed([(joined(path, key), child) for key, child in children_of(value)])


def children_of(value: Value) -> list[tuple[str | int, Value]]:
    """The members or items that count, each with its name or index."""
    if value.kind == "object":
        return list(value.data.items())
    return list(enumerate(value.data)) if value.kind == "array" else []


def joined(path: str, step: str | int) -> str:
    """`items[0].price` from its parts; a name that could be taken for a path stands as `["a.b"]`."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if not step or not _NO_PATH.isdisjoint(step):
        return f"{path}[{json.dumps(step, ensure_ascii=False)}]"
    return f"{path}.{step}" if path else step


def _against(validator: Validator, instance: Any) -> list[Problem]:
    try:
        errors = validator.errors(instance)
    except RunError as error:
        return [Problem("schema", "", error.message)]
    return [Problem("schema", *path_and_reason(error)) for error in errors[:MAX_PROBLEMS]]
