"""A mapping file: where the request, the schema and the answer of a foreign record stand, and what is made of them.

Places are JSON Pointers into the scope of a row: `/row` is the record, and `each` and `lookups` add names beside it.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from astudent.errors import Problems, UsageError
from astudent.records import Record

MAX_BYTES = 1 << 20
HINT = "docs/import.md says what a mapping holds."
Pointer = Annotated[str, Field(pattern=r"^(/[^/]+)*$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


def _exactly_one(record: Record, *names: str) -> None:
    given = [name for name in names if name in record.model_fields_set]
    if len(given) != 1:
        raise ValueError(f"give exactly one of {', '.join(names)}; given: {', '.join(given) or 'none'}")


class Value(Record):
    """One value: found at a place, made from a template (`{/row/title}` is filled in), or constant.

    `renames` puts other texts in the place of texts; `default` stands in where the place is not there.
    """

    at: Pointer | None = None
    template: str | None = None
    constant: Any = None
    renames: dict[str, str] = Field(default_factory=dict)
    default: Any = None
    optional: bool = False

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        _exactly_one(self, "at", "template", "constant")
        return self

    @property
    def has_default(self) -> bool:
        """Whether a missing place is filled with `default` (which may be null)."""
        return "default" in self.model_fields_set


class Turns(Record):
    """A request out of the turns of a dialogue, one line for each.

    `at` is the list; `until` names the `each` whose turn is the last one; `last` leaves the latest turns only. `speaker`
    and `text` are places within a turn. `speakers` gives each speaker the words before his text (none: ""; null: his turns
    are left out); a speaker who is not there makes the row a reject.
    """

    at: Pointer
    until: str | None = None
    last: int | None = Field(default=None, ge=1)
    speaker: Pointer
    text: Pointer
    speakers: dict[str, str | None]


class Request(Value):
    """The request: a value, or the turns of a dialogue."""

    turns: Turns | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        _exactly_one(self, "at", "template", "constant", "turns")
        return self


class Each(Record):
    """One row for each item of the list `in`, which stands in the scope under `name`."""

    name: Name
    inside: Pointer = Field(alias="in")


class Lookup(Record):
    """A second file: the record whose value at `key` is the scope's value at `at`; without both, the file as one value."""

    key: Pointer | None = None
    at: Pointer | None = None

    @model_validator(mode="after")
    def _has_both_or_none(self) -> Self:
        if (self.key is None) != (self.at is None):
            raise ValueError("give both key and at, or none of them")
        return self


class Condition(Record):
    """Rows whose value at the place is there, and among those listed; others are left out, and counted."""

    at: Pointer
    among: list[Any] | None = None


class SchemaSource(Record):
    """The schema of the answers: as it stands (`at`, `constant`), or made from functions, a service or a database.

    `without` names keywords that are taken off the top of a schema that stands, such as another dialect's `$schema`.
    """

    at: Pointer | None = None
    constant: dict[str, Any] | None = None
    functions: Pointer | None = None
    service: Pointer | None = None
    database: Pointer | None = None
    without: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        _exactly_one(self, "at", "constant", "functions", "service", "database")
        return self


class AnswerSource(Record):
    """The answer: as it stands (`at`; `under` makes it a member of an object), put together of `members`, or read from
    function calls, a dialogue state or Spider's parsed SQL; these three go with the schema source of their family."""

    at: Pointer | None = None
    under: str | None = None
    members: dict[str, Value] | None = None
    calls: Pointer | None = None
    form: Literal["plain", "acceptable", "tagged"] = "plain"
    state: Pointer | None = None
    sql: Pointer | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        _exactly_one(self, "at", "members", "calls", "state", "sql")
        return self


class Mapping(Record):
    """A whole mapping. `name` begins the ids that are made; the values of `split`, `language`, `names` and the ids may
    be left out: then test_unseen, en, new, and hashes of what the row holds."""

    name: Name
    about: str = ""
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    each: list[Each] = Field(default_factory=list)
    only: list[Condition] = Field(default_factory=list)
    request: Request
    schema_from: SchemaSource = Field(alias="schema")
    answer: AnswerSource
    split: Value = Value(constant="test_unseen")
    language: Value = Value(constant="en")
    names: Value = Value(constant="new")
    query_id: Value | None = None
    schema_id: Value | None = None
    domain_id: Value | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        names = ["row", "index", *(each.name for each in self.each), *self.lookups]
        if len(set(names)) < len(names):
            raise ValueError("a name of each or lookups is there twice, or is row or index")
        until = self.request.turns.until if self.request.turns else None
        if until not in (None, *(each.name for each in self.each)):
            raise ValueError(f"request.turns.until: no each has the name {until!r}")
        for answer, schema in (("calls", "functions"), ("state", "service"), ("sql", "database")):
            if getattr(self.answer, answer) is not None and getattr(self.schema_from, schema) is None:
                raise ValueError(f"answer.{answer} needs schema.{schema}")
        return self


def read_mapping(path: Path) -> tuple[Mapping, str]:
    """The mapping, and the SHA-256 (hex) of its file. UsageError lists all that is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", "Name a mapping file.") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{path}: longer than {MAX_BYTES:,} bytes", "A mapping is a small JSON file.")
    try:
        return Mapping.model_validate_json(content), hashlib.sha256(content).hexdigest()
    except ValidationError as error:
        problems = [_problem(each["loc"], each["msg"]) for each in error.errors(include_url=False, include_input=False)]
        raise Problems(f"{path}: no mapping", HINT, problems[:20]) from None


def _problem(place: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, place)) or 'the file'}: {message.removeprefix('Value error, ')}"
