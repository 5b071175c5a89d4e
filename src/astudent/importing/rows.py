"""One foreign record -> its dataset rows, or why there are none."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from astudent.errors import RunError
from astudent.importing.databases import query_schema
from astudent.importing.dialogue_states import state_answer, state_schema
from astudent.importing.function_calls import calls_answer, calls_schema
from astudent.importing.lookups import Lookups
from astudent.importing.mapping import Mapping, SchemaSource, Value
from astudent.importing.parsed_sql import query_answer
from astudent.importing.scope import RejectedError, Scope, as_object, kind, need, request_of, text_of, value_of
from astudent.language.pointers import MISSING, at_pointer
from astudent.language.serialise import dumps, parse_ast
from astudent.language.validation import validator_for
from astudent.records import DatasetRow, MadeBy

MAX_ITEMS = 2_000  # rows of one record
MAX_ID = 160  # characters
ID_DIGITS = 16  # of a hash, in hex: 64 bits
Json = Any


@dataclass(frozen=True)
class Rejection:
    """Why a row was not made; `item` says which of the record's rows (`turn 3, frame 0`), empty for the only one."""

    reason: str
    item: str = ""


@dataclass
class RowMaker:
    """Makes rows by a mapping; remembers ids, so that none comes twice. `left_out` counts what `only` does not take."""

    mapping: Mapping
    lookups: Lookups
    digest: str
    left_out: int = 0
    _ids: set[str] = field(default_factory=set)
    _schemas: dict[str, bytes] = field(default_factory=dict)

    def rows(self, record: dict[str, Json]) -> Iterator[DatasetRow | Rejection]:
        """A row or a rejection for each item that the mapping takes."""
        try:
            scopes = self._scopes({"row": record, "index": {}}, 0)
            for count, scope in enumerate(scopes):
                if count == MAX_ITEMS:
                    raise RejectedError(f"more than {MAX_ITEMS:,} rows in one record")
                if self._is_taken(scope):
                    yield self._row_or_reason(scope)
                else:
                    self.left_out += 1
        except RejectedError as error:
            yield Rejection(str(error))

    def _scopes(self, scope: Scope, depth: int) -> Iterator[Scope]:
        """The scope of each row: one item of every `each`, the later ones within the earlier."""
        if depth == len(self.mapping.each):
            yield scope
            return
        each = self.mapping.each[depth]
        items = at_pointer(scope, each.inside)
        if not isinstance(items, list):
            raise RejectedError(
                f"{'nothing' if items is MISSING else kind(items)} where a list is needed ({each.inside})"
            )
        for index, item in enumerate(items):
            inner = {**scope, each.name: item, "index": {**scope["index"], each.name: index}}
            yield from self._scopes(inner, depth + 1)

    def _is_taken(self, scope: Scope) -> bool:
        for condition in self.mapping.only:
            found = at_pointer(scope, condition.at)
            if found is MISSING or (condition.among is not None and found not in condition.among):
                return False
        return True

    def _row_or_reason(self, scope: Scope) -> DatasetRow | Rejection:
        try:
            return self._row({**scope, **self.lookups.found(scope)})
        except (RejectedError, RunError) as error:
            return Rejection(str(error), ", ".join(f"{name} {index}" for name, index in scope["index"].items()))

    def _row(self, scope: Scope) -> DatasetRow:
        query = request_of(self.mapping.request, scope)
        schema = schema_of(self.mapping.schema_from, scope)
        answer = answer_of(self.mapping, scope, schema)
        schema_text = _text(schema, "a schema")
        checked = _checked_answer(answer, schema)
        schema_id = self._schema_id(scope, schema_text)
        row = {
            "query_id": self._query_id(scope, schema_text, query, dumps(checked)),
            "schema_id": schema_id,
            "domain_id": _given(self.mapping.domain_id, scope) or schema_id,
            "language": text_of(self.mapping.language, scope),
            "split": text_of(self.mapping.split, scope),
            "names": text_of(self.mapping.names, scope),
        }
        made_by = MadeBy(provider="import", model=self.mapping.name, digest=self.digest)
        return _dataset_row(
            row | {"schema_json": schema, "query": query, "ast_json": checked, "made_by": made_by},
        )

    def _schema_id(self, scope: Scope, text: str) -> str:
        """One id never stands for two schemas: what is kept by id would mix them up."""
        digest = sha256(text.encode()).digest()
        schema_id = _given(self.mapping.schema_id, scope) or f"{self.mapping.name}-{digest.hex()[:ID_DIGITS]}"
        if self._schemas.setdefault(schema_id, digest) != digest:
            raise RejectedError(f"the schema id {schema_id!r} stands for another schema already")
        return schema_id

    def _query_id(self, scope: Scope, *content: str) -> str:
        given = _given(self.mapping.query_id, scope)
        digest = sha256("\0".join(content).encode()).hexdigest()[:ID_DIGITS]
        query_id = given or f"{self.mapping.name}-{digest}"
        if query_id in self._ids:
            what = f"the id {query_id!r} is there already" if given else "request, schema and answer are there already"
            raise RejectedError(what)
        self._ids.add(query_id)
        return query_id


def schema_of(source: SchemaSource, scope: Scope) -> dict[str, Json]:
    """The schema of a row's answers, not yet checked."""
    if source.constant is not None:
        return source.constant
    if source.functions is not None:
        return calls_schema(need(scope, source.functions))
    if source.service is not None:
        return state_schema(need(scope, source.service))
    if source.database is not None:
        return query_schema(need(scope, source.database))
    found = as_object(need(scope, source.at or ""), "a JSON Schema")
    return {key: value for key, value in found.items() if key not in source.without}


def answer_of(mapping: Mapping, scope: Scope, schema: Json) -> dict[str, Json]:
    """The answer of a row under its schema, not yet checked."""
    source, described = mapping.answer, mapping.schema_from
    if source.members is not None:
        found = {name: value_of(value, scope) for name, value in source.members.items()}
        return {name: value for name, value in found.items() if value is not MISSING}
    if source.calls is not None:
        return calls_answer(need(scope, source.calls), source.form, schema)
    if source.state is not None:
        return state_answer(need(scope, source.state), need(scope, described.service or ""))
    if source.sql is not None:
        return query_answer(need(scope, source.sql), need(scope, described.database or ""))
    found = need(scope, source.at or "")
    return {source.under: found} if source.under is not None else as_object(found, "an answer")


def _checked_answer(answer: dict[str, Json], schema: dict[str, Json]) -> dict[str, Json]:
    """The answer as any student's would be read, valid under its schema."""
    read, error = parse_ast(_text(answer, "an answer"))
    if read is None:
        raise RejectedError(f"the answer: {error}")
    if problems := validator_for(schema).problems(read):
        raise RejectedError(f"the answer breaks its schema: {problems[0]}")
    return read


def _text(value: Json, what: str) -> str:
    """Compact JSON that can be written. RejectedError for infinite numbers and half characters."""
    try:
        text = dumps(value)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise RejectedError(f"{what} that is no JSON: {error}") from None
    return text


def _given(value: Value | None, scope: Scope) -> str | None:
    """An id that the mapping takes from the scope: a short line of text."""
    if value is None:
        return None
    text = text_of(value, scope)
    if not 0 < len(text) <= MAX_ID or not text.isprintable():
        raise RejectedError(f"an id that is no line of 1 to {MAX_ID} characters")
    return text


def _dataset_row(fields: dict[str, Json]) -> DatasetRow:
    try:
        return DatasetRow(is_valid=True, source="imported", **fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RejectedError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
