"""One typed row per file of the pipeline. Field names run through all files unchanged."""

import warnings
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "fr"]
FieldType = Literal["number", "integer", "string", "boolean", "enum", "date"]
Split = Literal["train", "align", "test_seen", "test_unseen"]
Grade = Literal["simple", "medium", "complex"]

FIELD_NAME = r"^[a-z][a-z0-9_]{0,39}$"


class Record(BaseModel):
    """A row that never changes and holds no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MadeBy(Record):
    """Who made a row: the teacher, what it was asked (hash of the prompt) and the seed."""

    provider: str
    model: str
    digest: str | None = None
    prompt_hash: str | None = None
    seed: int | None = None


class DomainPrompt(Record):
    """data/domain_prompts.jsonl: what a teacher is asked to invent a domain from."""

    domain_id: str
    language: Language
    prompt: str


class EnumValue(Record):
    """One value of an enum field, with the words that people use for it."""

    value: str
    label_en: str | None = None
    label_fr: str | None = None


class FieldSpec(Record):
    """One field of a domain. `values` for enum fields only; `minimum` and `maximum` for numbers only."""

    name: str = Field(pattern=FIELD_NAME)
    type: FieldType
    label_en: str | None = None
    label_fr: str | None = None
    values: list[EnumValue] = Field(default_factory=list)
    minimum: float | None = None
    maximum: float | None = None


class ExampleQuery(Record):
    """A request that the teacher gave with its spec. `ast_json` only from the embedded teacher: its hidden answer."""

    query: str
    language: Language
    ast_json: dict[str, Any] | None = None


class DomainSpec(Record):
    """d_01: one row per domain and variant; `schema_id` is the domain's id and the variant, `shop-00`."""

    schema_id: str
    domain_id: str
    domain: str
    variant: int
    entity_en: str
    entity_fr: str
    fields: list[FieldSpec]
    examples: list[ExampleQuery]
    made_by: MadeBy


class QueryRow(Record):
    """d_03: one request. Rows with source `topup` are appended by stage 04."""

    query_id: str
    schema_id: str
    language: Language
    query: str
    source: Literal["example", "generated", "topup"]
    ast_json: dict[str, Any] | None = None
    made_by: MadeBy


with warnings.catch_warnings():
    # pydantic keeps a deprecated method named schema_json; the files' field bears that name.
    warnings.filterwarnings("ignore", message='Field name "schema_json"', category=UserWarning)

    class SchemaRow(Record):
        """d_02: one JSON Schema, and the hashes that say what it was built from."""

        schema_id: str
        domain_id: str
        variant: int
        operators: list[str]
        schema_json: dict[str, Any]  # pyright: ignore[reportIncompatibleMethodOverride]
        schema_hash: str
        spec_hash: str
        made_by: MadeBy

    class DatasetRow(Record):
        """d_04: a request with its AST, or (`is_valid` false) an AST broken on purpose, made from `positive_id`.

        `agreement` is the share of the teacher's samples that meant this AST, where several were asked for. Rows of a
        benchmark task say how hard their schema is (`grade`) and what makes the text hard on purpose (`trap`).
        """

        query_id: str
        schema_id: str
        domain_id: str
        language: Language
        schema_json: dict[str, Any]  # pyright: ignore[reportIncompatibleMethodOverride]
        query: str
        ast_json: dict[str, Any]
        is_valid: bool
        split: Split
        names: Literal["seen", "new"]
        source: Literal["example", "generated", "topup", "imported"]
        mutation: str | None = None
        validator_message: str | None = None
        positive_id: str | None = None
        grade: Grade | None = None
        trap: str | None = None
        agreement: float | None = None
        made_by: MadeBy

    class CorpusRow(Record):
        """d_05: what the student learns from; rows of split `train` only.

        `ast_json` is always the right AST and `completion` its canonical text; a `repair` row shows a broken AST and
        the validator's message in its `prompt`.
        """

        query_id: str
        schema_id: str
        language: Language
        schema_json: dict[str, Any]  # pyright: ignore[reportIncompatibleMethodOverride]
        query: str
        ast_json: dict[str, Any]
        kind: Literal["plain", "repair"]
        prompt: str
        completion: str
        made_by: MadeBy
