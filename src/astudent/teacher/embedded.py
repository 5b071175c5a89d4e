"""The teacher without a model: right by construction.

It composes tables from word lists, samples ASTs and says them in English and French. The AST travels hidden in the
request's row, so it answers only requests that it wrote itself; it judges by equivalence. Request number i of a schema
is a function of the seed, the schema and i alone, so that a longer or an interrupted run gives the same rows.
"""

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from astudent.errors import UsageError
from astudent.language.realisation import realise
from astudent.language.sampling import sample_ast
from astudent.language.schema import build_schema, load_catalog, load_template
from astudent.language.validation import validator_for
from astudent.language.vocabulary import Vocabulary, read_vocabulary
from astudent.records import DomainPrompt, DomainSpec, ExampleQuery, Language, MadeBy, QueryRow, SchemaRow
from astudent.settings import Config
from astudent.teacher.lexicon import Lexicon, compose, load_lexicon
from astudent.teacher.protocol import AnswerOutcome
from astudent.teacher.verdicts import JudgeVerdict, verdict_by_equivalence

PROVIDER = "embedded"
# Of the words in a request with typing errors, about one in seven is misspelt.
_TYPOS_IN_A_TYPED_REQUEST = 0.15


class EmbeddedTeacher:
    """Makes, answers and judges requests without a model."""

    def __init__(self, config: Config, lexicon: Lexicon | None = None) -> None:
        """RunError when the lexicon, the operator catalogue or the schema template cannot be read."""
        self._settings = config.dataset_generation
        self._lexicon = lexicon or load_lexicon()
        self._catalog = load_catalog(Path(self._settings.operator_catalog))
        self._template = load_template(Path(self._settings.base_schema_template))
        self._identity = MadeBy(provider=PROVIDER, model=PROVIDER, seed=self._settings.seed)

    @property
    def identity(self) -> MadeBy:
        """Provider `embedded` and the seed."""
        return self._identity

    @property
    def ahead(self) -> int:
        """One: it answers at once."""
        return 1

    def prepare(self, schemas: Iterable[dict[str, Any]]) -> None:
        """Nothing to prepare."""

    async def propose(self, prompt: DomainPrompt, variant: int, examples: int) -> DomainSpec:
        """The domain's table, its names common, own or invented by `variant`, and example requests with their ASTs."""
        table = compose(self._lexicon, prompt.domain_id, variant, self._settings.seed)
        spec = DomainSpec(
            schema_id=f"{prompt.domain_id}-{variant:02d}",
            domain_id=prompt.domain_id,
            domain=table.domain,
            variant=variant,
            entity_en=table.entity_en,
            entity_fr=table.entity_fr,
            fields=table.fields,
            examples=[],
            made_by=self._identity,
        )
        vocabulary = read_vocabulary(self._schema_of(spec))
        made = [self._request(vocabulary, spec.schema_id, "example", number) for number in range(examples)]
        return spec.model_copy(update={"examples": [ExampleQuery(query=q, language=l, ast_json=a) for q, l, a in made]})

    async def write_queries(self, schema: SchemaRow, start: int, count: int) -> list[QueryRow]:
        """Requests number `start` to `start + count - 1`, each with its AST hidden in the row."""
        vocabulary = read_vocabulary(schema.schema_json)
        return [self._query_row(schema.schema_id, vocabulary, number) for number in range(start, start + count)]

    async def answer(self, schema_json: dict[str, Any], query: QueryRow) -> AnswerOutcome:
        """The hidden AST. Refused by name: another teacher's request, and an AST that this schema does not allow."""
        if query.made_by.provider != PROVIDER or query.ast_json is None:
            maker = f"{query.made_by.provider}/{query.made_by.model}"
            problem = (
                f"the embedded teacher answers only requests that it wrote; {query.query_id} was written by {maker}"
            )
            return AnswerOutcome(ast=None, error=problem)
        problems = validator_for(schema_json).problems(query.ast_json)
        if problems:
            return AnswerOutcome(ast=None, error=f"{query.query_id} was written for another schema: {problems[0]}")
        return AnswerOutcome(ast=query.ast_json)

    async def judge(
        self,
        schema_json: dict[str, Any],
        query: str,
        known_ast: dict[str, Any] | None,
        student_ast: dict[str, Any] | None,
    ) -> JudgeVerdict:
        """By equivalence with the known AST; an error where none is known."""
        if known_ast is None:
            return JudgeVerdict("error", "the embedded teacher judges only requests whose AST is known")
        return verdict_by_equivalence(schema_json, known_ast, student_ast)

    async def unload(self) -> None:
        """Nothing to free."""

    async def end(self) -> None:
        """Nothing to end."""

    def _query_row(self, schema_id: str, vocabulary: Vocabulary, number: int) -> QueryRow:
        query, language, ast = self._request(vocabulary, schema_id, "query", number)
        return QueryRow(
            query_id=f"{schema_id}-q{number:06d}",
            schema_id=schema_id,
            language=language,
            query=query,
            source="generated",
            ast_json=ast,
            made_by=self._identity,
        )

    def _request(
        self, vocabulary: Vocabulary, schema_id: str, stream: str, number: int
    ) -> tuple[str, Language, dict[str, Any]]:
        """Request number `number` of a schema's stream, its language and its AST."""
        rng = Random(f"{self._settings.seed}:{schema_id}:{stream}:{number}")
        language = self._settings.languages[number % len(self._settings.languages)]
        ast = sample_ast(vocabulary, rng)
        typos = _TYPOS_IN_A_TYPED_REQUEST if rng.random() < self._settings.typo_rate else 0.0
        return realise(ast, vocabulary, language, rng, typos), language, ast

    def _schema_of(self, spec: DomainSpec) -> dict[str, Any]:
        """The schema that stage 02 builds from the spec with the same settings, so that the examples fit it.

        With other settings there, examples that no longer fit are refused when they are answered.
        """
        rng = Random(f"{self._settings.seed}:schema:{spec.schema_id}")
        low, high = self._settings.min_operators, self._settings.max_operators
        try:
            return build_schema(spec, self._catalog, self._template, rng, low, high)[0]
        except UsageError as error:
            hint = "Raise dataset_generation.max_operators."
            raise UsageError(f"no schema for {spec.schema_id}: {error.message}", hint) from error
