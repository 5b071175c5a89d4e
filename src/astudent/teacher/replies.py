"""What an Ollama teacher's replies must look like, other than ASTs: the `format` that is sent, and the reader."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from astudent.records import FIELD_NAME, DomainSpec, EnumValue, ExampleQuery, FieldSpec, FieldType, Language, MadeBy

# Longer requests than this are no requests, but a model that runs on.
MAX_REQUEST = 1000
MIN_FIELDS, MAX_FIELDS = 3, 12


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ValueReply(_Reply):
    """One value of an enum field."""

    value: str = Field(min_length=1, max_length=60)
    label_en: str
    label_fr: str


class FieldReply(_Reply):
    """One field of a proposed table."""

    name: str = Field(pattern=FIELD_NAME)
    type: FieldType
    label_en: str
    label_fr: str
    values: list[ValueReply] = Field(default_factory=list, max_length=20)
    minimum: float | None = None
    maximum: float | None = None

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
    query: str = Field(min_length=3, max_length=MAX_REQUEST)


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

    reason: str
    verdict: Literal["accept", "reject"]


def spec_format(examples: int) -> dict[str, Any]:
    """The `format` of a proposal with exactly `examples` requests."""
    schema = SpecReply.model_json_schema()
    schema["properties"]["examples"] |= {"minItems": examples, "maxItems": examples}
    return schema


def queries_format(count: int) -> dict[str, Any]:
    """The `format` of exactly `count` requests."""
    schema = QueriesReply.model_json_schema()
    schema["properties"]["queries"] |= {"minItems": count, "maxItems": count}
    return schema
