"""What an Ollama teacher's replies must look like, other than ASTs: the `format` that is sent, and the reader.

A format says all that JSON Schema can and that Ollama turns into a grammar: no bounds of a number with a fraction, nothing
distinct. The reader checks again, and leniently where nothing is lost by it: a server may ignore the format.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from astudent.language.serialise import parse_ast
from astudent.language.validation import validator_for
from astudent.records import FIELD_NAME, DomainSpec, EnumValue, ExampleQuery, FieldSpec, FieldType, Language, MadeBy

# Characters. Longer requests than this are no requests, but a model that runs on; an AST in words takes more of them.
MAX_REQUEST, MAX_DESCRIPTION = 300, 600
MAX_LABEL, MAX_REASON = 60, 400
MIN_FIELDS, MAX_FIELDS = 3, 12
MAX_VALUES = 20
# Ends of a number field's range: beyond it nothing occurs in practice.
MAX_BOUND = 10**9

Schema = dict[str, Any]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ValueReply(_Reply):
    """One value of an enum field."""

    value: str = Field(min_length=1, max_length=MAX_LABEL)
    label_en: str
    label_fr: str


class FieldReply(_Reply):
    """One field of a proposed table."""

    name: str = Field(pattern=FIELD_NAME)
    type: FieldType
    label_en: str
    label_fr: str
    values: list[ValueReply] = Field(default_factory=list, max_length=MAX_VALUES)
    minimum: float | None = Field(None, allow_inf_nan=False)
    maximum: float | None = Field(None, allow_inf_nan=False)

    def as_field(self) -> FieldSpec:
        """The field without what its type does not use. ValueError for an enum with fewer than two values."""
        names = [value.value for value in self.values]
        if self.type == "enum" and (len(names) < 2 or len(set(names)) < len(names)):
            raise ValueError(f"enum field {self.name} needs two or more distinct values")
        values = [EnumValue(**value.model_dump()) for value in self.values] if self.type == "enum" else []
        ranged = self.type in ("number", "integer")
        return FieldSpec(
            name=self.name,
            type=self.type,
            label_en=self.label_en or None,
            label_fr=self.label_fr or None,
            values=values,
            minimum=self.minimum if ranged else None,
            maximum=self.maximum if ranged else None,
        )


class QueryReply(_Reply):
    """One request."""

    language: Language
    query: str = Field(min_length=3, max_length=2 * MAX_REQUEST)  # a format that did not bind costs nothing here


class SpecReply(_Reply):
    """A proposed table with example requests."""

    domain: str = Field(min_length=1)
    entity_en: str = Field(min_length=1)
    entity_fr: str = Field(min_length=1)
    fields: list[FieldReply] = Field(min_length=MIN_FIELDS, max_length=MAX_FIELDS)  # pyright: ignore[reportIncompatibleVariableOverride]
    examples: list[QueryReply]

    def as_spec(self, schema_id: str, domain_id: str, variant: int, examples: int, made_by: MadeBy) -> DomainSpec:
        """The spec's row. ValueError when a field stands twice or fewer than `examples` requests came."""
        names = [field.name for field in self.fields]
        if len(set(names)) < len(names):
            raise ValueError("a field name stands twice")
        if len(self.examples) < examples:
            raise ValueError(f"{len(self.examples)} examples, {examples} were asked for")
        return DomainSpec(
            schema_id=schema_id,
            domain_id=domain_id,
            domain=self.domain,
            variant=variant,
            entity_en=self.entity_en,
            entity_fr=self.entity_fr,
            fields=[field.as_field() for field in self.fields],
            examples=[ExampleQuery(query=each.query, language=each.language) for each in self.examples[:examples]],
            made_by=made_by,
        )


class QueriesReply(_Reply):
    """Requests in the order of the plan."""

    queries: list[QueryReply]

    def following(self, languages: list[str]) -> Self:
        """Itself. ValueError when number or languages are not those of the plan."""
        found = [query.language for query in self.queries]
        if found != languages:
            raise ValueError(f"the languages must be, in this order: {', '.join(languages)}")
        return self


class JudgeReply(_Reply):
    """A verdict, its reason first: a model that has named the difference decides better."""

    reason: str = Field(json_schema_extra={"maxLength": MAX_REASON})
    verdict: Literal["accept", "reject"]


class DescriptionReply(_Reply):
    """An AST in words."""

    query: str = Field(min_length=3, max_length=MAX_DESCRIPTION)


def fits(format: Schema, reply: str) -> bool:
    """Whether a reply is JSON and valid under the `format` that was sent with its request."""
    value, error = parse_ast(reply)
    return error is None and not validator_for(format).problems(value)


def spec_format(examples: int) -> Schema:
    """The `format` of a proposal with exactly `examples` requests, English and French in turn."""
    label = _text(1, MAX_LABEL)
    fields = {"type": "array", "items": _field_format(), "minItems": MIN_FIELDS, "maxItems": MAX_FIELDS}
    asked = _requests(("en", "fr")[number % 2] for number in range(examples))
    schema = _object(domain=label, entity_en=label, entity_fr=label, fields=fields, examples=asked)
    return schema | {"$defs": _requests_by_language()}


def queries_format(languages: Sequence[str]) -> Schema:
    """The `format` of requests in these languages, in this order."""
    return _object(queries=_requests(languages)) | {"$defs": _requests_by_language()}


def _field_format() -> Schema:
    """A field by its type: an enum has values, a number a range, the others neither."""
    label = _text(1, MAX_LABEL)
    labels = {"label_en": label, "label_fr": label}
    value = _object(value=label, **labels)
    values = {"type": "array", "items": value, "minItems": 2, "maxItems": MAX_VALUES}
    bound = {"type": "integer", "minimum": -MAX_BOUND, "maximum": MAX_BOUND}

    def field(*types: FieldType, **own: Schema) -> Schema:
        name = {"type": "string", "pattern": FIELD_NAME}
        return _object(name=name, type={"enum": list(types)}, **labels, **own)

    ranged = field("number", "integer", minimum=bound, maximum=bound)
    return {"anyOf": [field("enum", values=values), ranged, field("string", "boolean", "date")]}


def _requests(languages: Iterable[str]) -> Schema:
    """An array of requests whose languages are fixed, place by place."""
    each = [{"$ref": f"#/$defs/{language}"} for language in languages]
    return {"type": "array", "prefixItems": each, "minItems": len(each), "maxItems": len(each)}


def _requests_by_language() -> Schema:
    """`$defs` that all places share: a server unrolls every maxLength, and these are the long ones."""
    query = _text(3, MAX_REQUEST)
    return {language: _object(language={"const": language}, query=query) for language in get_args(Language)}


def _object(**properties: Schema) -> Schema:
    """All of these properties, in this order, and no other."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _text(least: int, most: int) -> Schema:
    return {"type": "string", "minLength": least, "maxLength": most}
