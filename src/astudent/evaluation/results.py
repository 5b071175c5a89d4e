"""The rows that evaluation writes: an answer as the student gave it, and a result with everything measured on it."""

import warnings
from typing import Any, Literal

from astudent.records import Grade, Language, Record, Split

Kind = Literal["plain", "repair"]
Decoding = Literal["free", "constrained"]
Verdict = Literal["accept", "reject", "error"]


class AnswerRow(Record):
    """answers.jsonl: what the student said, before anybody judges it. Times in seconds, lengths in tokens.

    `finish` is `length` where `max_new_tokens` cut the answer off.
    """

    query_id: str
    kind: Kind
    prompt_text: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    finish: Literal["stop", "length"]
    latency_seconds: float


with warnings.catch_warnings():
    # pydantic keeps a deprecated method named schema_json; the files' field bears that name.
    warnings.filterwarnings("ignore", message='Field name "schema_json"', category=UserWarning)

    class ResultRow(Record):
        """evaluation_results.jsonl: one sample, measured and judged.

        `ast_json` is the known answer and `teacher_canonical` its serialisation; `equivalent` is the truth by canonical
        form or execution, `teacher_verdict` what the judge said (null without a judge, `error` where it failed). Rows of
        a benchmark task keep their `grade` and `trap`. `string_errors` are the edits that the strings of
        `string_characters` characters need. Null by default is what older files did not measure.
        """

        query_id: str
        schema_id: str
        domain_id: str
        split: Split
        names: Literal["seen", "new"]
        grade: Grade | None = None
        trap: str | None = None
        language: Language
        kind: Kind
        decoding: Decoding
        query: str
        schema_json: dict[str, Any]  # pyright: ignore[reportIncompatibleMethodOverride]
        ast_json: dict[str, Any]
        prompt_text: str
        text: str
        student_canonical: str | None
        teacher_canonical: str
        parsed: bool
        parse_error: str | None
        schema_valid: bool
        schema_errors: list[str]
        exact_match: bool
        json_exact: bool | None = None
        canonical_equal: bool
        equivalent: bool
        equivalent_by: Literal["canonical", "execution"] | None
        facts_shared: int
        facts_answered: int
        facts_known: int
        field_f1: float
        string_errors: int | None = None
        string_characters: int | None = None
        teacher_verdict: Verdict | None
        teacher_reason: str | None
        semantic_pass: bool | None
        prompt_tokens: int
        completion_tokens: int
        finish: Literal["stop", "length"]
        latency_seconds: float
