"""The teacher that is a large model behind an Ollama server.

Every request carries a JSON Schema twice: in `format`, where the server may or may not enforce it, and in the prompt.
Every reply is validated; one that breaks its schema goes back once with the validator's words, and what still fails
is a failure with its reply.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from astudent.language.serialise import dumps, parse_ast
from astudent.language.validation import validator_for
from astudent.records import DomainPrompt, DomainSpec, MadeBy, QueryRow, SchemaRow
from astudent.settings import Config
from astudent.teacher.ollama_chat import OllamaChat
from astudent.teacher.prompting import as_data, filled, prompt_hash
from astudent.teacher.protocol import AnswerOutcome, JudgeVerdict, TeacherFailure
from astudent.teacher.replies import JudgeReply, QueriesReply, QueryReply, SpecReply, queries_format, spec_format

# Largest seed that the server takes (it reads a 32-bit integer).
MAX_SEED = 2**31 - 1

# What request number i of a schema is like; the languages go round as well.
STYLES = ("simple", "compound", "nested", "shaped", "compound", "simple", "shaped", "nested", "compound")

# A validator may quote a long reply; the retry's prompt needs its beginning only.
MAX_PROBLEM = 600

Checker = Callable[[str], str | None]


@dataclass(frozen=True)
class Asked:
    """A reply that passed its check, or the problem of the second one; `prompt_hash` names what was asked."""

    text: str
    problem: str | None
    prompt_hash: str


class OllamaTeacher:
    """Proposes, writes, answers and judges through one model, whose replies are all validated."""

    def __init__(self, chat: OllamaChat, config: Config) -> None:
        """Reads the model's digest: UsageError where server or model is absent."""
        self._chat = chat
        self._teacher = config.teacher
        self._languages = config.dataset_generation.languages
        self._seed = config.dataset_generation.seed
        self._identity = MadeBy(provider="ollama", model=chat.settings.model, digest=chat.digest(), seed=self._seed)

    @property
    def identity(self) -> MadeBy:
        """Provider, model, digest and seed."""
        return self._identity

    def propose(self, prompt: DomainPrompt, variant: int, examples: int) -> DomainSpec:
        """A table for a domain prompt; TeacherFailure when two replies could not be used."""
        text = filled("propose", prompt=as_data(prompt.prompt), variant=variant + 1, examples=examples)
        schema_id = f"{prompt.domain_id}-{variant:02d}"

        def spec_of(reply: str) -> DomainSpec:
            read = SpecReply.model_validate_json(reply)
            made_by = self._made_by(prompt_hash(text))
            return read.as_spec(schema_id, prompt.domain_id, variant, examples, made_by)

        asked = self._ask(text, spec_format(examples), f"propose:{schema_id}", True, _problem_with(spec_of))
        if asked.problem:
            raise TeacherFailure(asked.problem, asked.text)
        return spec_of(asked.text)

    def write_queries(self, schema: SchemaRow, start: int, count: int) -> list[QueryRow]:
        """Requests number `start` to `start + count - 1`; TeacherFailure when two replies could not be used."""
        numbers = range(start, start + count)
        languages = [self._languages[number % len(self._languages)] for number in numbers]
        styles = [STYLES[number % len(STYLES)] for number in numbers]
        plan = as_data([f"{language} {style}" for language, style in zip(languages, styles, strict=True)])
        written = dumps(schema.schema_json)
        text = filled("write_queries", schema=written, count=count, plan=plan, start=start, end=numbers[-1])

        def queries_of(reply: str) -> QueriesReply:
            return QueriesReply.model_validate_json(reply).following(languages)

        key = f"write:{schema.schema_id}:{start}:{count}"
        asked = self._ask(text, queries_format(count), key, True, _problem_with(queries_of))
        if asked.problem:
            raise TeacherFailure(asked.problem, asked.text)
        made_by = self._made_by(asked.prompt_hash)
        replies = queries_of(asked.text).queries
        return [self._query_row(schema, number, reply, made_by) for number, reply in zip(numbers, replies, strict=True)]

    def answer(self, schema_json: dict[str, Any], query: QueryRow) -> AnswerOutcome:
        """The AST of a request, valid under the schema, or why there is none."""
        text = filled("answer", schema=dumps(schema_json), request=as_data(query.query))
        asked = self._ask(text, schema_json, f"answer:{query.query_id}", False, _problem_with_ast(schema_json))
        if asked.problem:
            return AnswerOutcome(ast=None, error=asked.problem, raw=asked.text)
        return AnswerOutcome(ast=parse_ast(asked.text)[0], error=None, raw=asked.text)

    def judge(
        self,
        schema_json: dict[str, Any],
        query: str,
        known_ast: dict[str, Any] | None,
        student_ast: dict[str, Any] | None,
    ) -> JudgeVerdict:
        """Whether the AST means what the request asks. `known_ast` is not shown: the model judges by itself."""
        if student_ast is None:
            return JudgeVerdict(verdict="error", reason="the answer could not be parsed")
        data = as_data({"request": query, "candidate": student_ast})
        text = filled("judge", schema=dumps(schema_json), data=data)
        check = _problem_with(JudgeReply.model_validate_json)
        asked = self._ask(text, JudgeReply.model_json_schema(), f"judge:{prompt_hash(text)}", False, check)
        if asked.problem:
            return JudgeVerdict(verdict="error", reason=asked.problem)
        read = JudgeReply.model_validate_json(asked.text)
        return JudgeVerdict(verdict=read.verdict, reason=read.reason)

    def unload(self) -> None:
        """Frees the server's memory for another model."""
        self._chat.unload()

    def _ask(self, text: str, format: dict[str, Any], key: str, creative: bool, check: Checker) -> Asked:
        """One call, and a second one with the problem when the first reply cannot be used."""
        temperature = self._teacher.creative_temperature if creative else self._teacher.temperature
        messages = [{"role": "user", "content": text}]
        reply, problem = "", None
        for attempt in range(2):
            answer = self._chat.ask(messages, format, self._seed_of(f"{key}:{attempt}"), temperature)
            reply, problem = answer.text, answer.problem or check(answer.text)
            if problem is None:
                break
            complaint = filled("retry", problem=problem[:MAX_PROBLEM])
            messages = [messages[0], {"role": "assistant", "content": reply}, {"role": "user", "content": complaint}]
        return Asked(reply, problem, prompt_hash(text))

    def _seed_of(self, key: str) -> int:
        digest = hashlib.sha256(f"{self._seed}:{key}".encode()).digest()
        return int.from_bytes(digest[:8]) % MAX_SEED

    def _made_by(self, hashed: str) -> MadeBy:
        return self._identity.model_copy(update={"prompt_hash": hashed})

    def _query_row(self, schema: SchemaRow, number: int, reply: QueryReply, made_by: MadeBy) -> QueryRow:
        return QueryRow(
            query_id=f"{schema.schema_id}-q{number:06d}",
            schema_id=schema.schema_id,
            language=reply.language,
            query=reply.query,
            source="generated",
            made_by=made_by,
        )


def _problem_with(read: Callable[[str], object]) -> Checker:
    """A check that says in one line why `read` refuses a reply."""

    def check(reply: str) -> str | None:
        try:
            read(reply)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            return f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}"
        except ValueError as error:
            return str(error)
        return None

    return check


def _problem_with_ast(schema_json: dict[str, Any]) -> Checker:
    """A check that says in one line why a reply is no AST of the schema."""

    def check(reply: str) -> str | None:
        ast, error = parse_ast(reply)
        if error is not None:
            return error
        problems = validator_for(schema_json).problems(ast)
        return problems[0] if problems else None

    return check
