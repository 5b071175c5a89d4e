"""What one answer is worth against the known AST: parsed, valid, exact, equal in form, in meaning, fact by fact."""

from dataclasses import dataclass
from typing import Any

from astudent.evaluation.facts import FieldScore, field_score
from astudent.evaluation.leaf_scores import StringScore, string_score, values_score
from astudent.language.canonical import canonical
from astudent.language.equivalence import as_json, equivalent
from astudent.language.serialise import parse_ast, serialise
from astudent.language.validation import validator_for
from astudent.language.vocabulary import is_query_language

Ast = dict[str, Any]


@dataclass(frozen=True)
class Score:
    """One answer, measured without any judge.

    `equivalent` is the truth by canonical form or by execution (`equivalent_by`); an answer that breaks the schema has
    no meaning, so it is False there. `json_exact`: equal as JSON values, with no canonical form; the order of arrays
    counts, that of keys does not. `canonical` is the answer's own serialisation, the form that training uses.
    """

    ast: Ast | None
    canonical: str | None
    parse_error: str | None
    schema_errors: tuple[str, ...]
    exact_match: bool
    json_exact: bool
    canonical_equal: bool
    equivalent: bool
    equivalent_by: str | None
    fields: FieldScore
    strings: StringScore

    @property
    def parsed(self) -> bool:
        """The text is one JSON object."""
        return self.ast is not None

    @property
    def schema_valid(self) -> bool:
        """Parsed, and valid under the request's own schema."""
        return self.parsed and not self.schema_errors


class Scorer:
    """Scores answers under one schema; keeps the compiled validator between answers.

    Under a query language's schema `fields` are the AST's facts, under any other one the values at their paths; strings
    are compared at their paths, in a query language those of the canonical form.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self._validator = validator_for(schema)
        self._is_query_language = is_query_language(schema)
        self._fields = field_score if self._is_query_language else values_score

    def canonical(self, ast: Ast) -> str:
        """The serialisation of `ast` that completions, `chosen` and `rejected` share."""
        return serialise(ast, self.schema)

    def problems(self, ast: Ast) -> list[str]:
        """What the schema says against `ast`; empty when valid."""
        return self._validator.problems(ast)

    def score_text(self, text: str, known: Ast) -> Score:
        """Scores a student's raw text."""
        ast, error = parse_ast(text)
        return self.unparsed(error or "", known) if ast is None else self.score(ast, known)

    def unparsed(self, error: str, known: Ast) -> Score:
        """The score of a text that is no AST."""
        return Score(
            ast=None,
            canonical=None,
            parse_error=error,
            schema_errors=(),
            exact_match=False,
            json_exact=False,
            canonical_equal=False,
            equivalent=False,
            equivalent_by=None,
            fields=self._fields(None, known),
            strings=self._strings(None, known),
        )

    def score(self, ast: Ast, known: Ast) -> Score:
        """Scores a parsed answer; meaning is compared only when the schema accepts it."""
        problems, spelled = tuple(self.problems(ast)), self.canonical(ast)
        by = None if problems else self._equal_by(ast, known)
        return Score(
            ast=ast,
            canonical=spelled,
            parse_error=None,
            schema_errors=problems,
            exact_match=spelled == self.canonical(known),
            json_exact=as_json(ast) == as_json(known),
            canonical_equal=by == "canonical",
            equivalent=by is not None,
            equivalent_by=by,
            fields=self._fields(ast, known),
            strings=self._strings(ast, known),
        )

    def _strings(self, ast: Ast | None, known: Ast) -> StringScore:
        if not self._is_query_language:
            return string_score(ast, known)
        return string_score(None if ast is None else canonical(ast), canonical(known))

    def _equal_by(self, ast: Ast, known: Ast) -> str | None:
        verdict = equivalent(ast, known, self.schema)
        return verdict.by if verdict.equal else None
