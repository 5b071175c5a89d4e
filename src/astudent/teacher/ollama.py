"""The teacher that is a large model behind an Ollama server.

Every request carries a JSON Schema twice: in `format`, where the server may or may not enforce it, and in the prompt.
Every reply is validated; one that breaks its schema goes back once with the validator's words, and what still fails
is a failure with its reply.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from pydantic import ValidationError

from astudent.language.canonical import canonical_text
from astudent.language.serialise import parse_ast
from astudent.language.validation import validator_for
from astudent.records import DomainPrompt, DomainSpec, MadeBy, QueryRow, SchemaRow
from astudent.settings import Config
from astudent.teacher.ollama_chat import OllamaChat
from astudent.teacher.prompting import MAX_PROBLEM, as_data, as_line, as_schema, filled, prompt_hash, template
from astudent.teacher.protocol import AnswerOutcome, JudgeVerdict, TeacherFailure
from astudent.teacher.replies import (
    MAX_REQUEST,
    DescriptionReply,
    JudgeReply,
    QueriesReply,
    QueryReply,
    SpecReply,
    fits,
    queries_format,
    spec_format,
)

# Largest seed that the server takes (it reads a 32-bit integer).
MAX_SEED = 2**31 - 1

# What request number i of a schema is like; the languages go round as well.
STYLES = ("simple", "compound", "nested", "shaped", "compound", "simple", "shaped", "nested", "compound")

# A model may run on; the retry's prompt needs the beginning of its reply only.
MAX_SENT_BACK = 4000

# The judge's examples, put in either order; the place of one must not decide.
_EXAMPLES = {
    "judge": (
        '{"reason": "The request asks for more than 100, the candidate for 100 or more.", "verdict": "reject"}',
        '{"reason": "Both conditions are there and nothing else.", "verdict": "accept"}',
    ),
    "same": (
        '{"reason": "The first asks for more than 100, the second for 100 or more.", "verdict": "reject"}',
        '{"reason": "Both ask for the unpaid orders of May, newest first.", "verdict": "accept"}',
    ),
}

Checker = Callable[[str], str | None]


@dataclass(frozen=True)
class Asked:
    """A reply that passed its check, or the problem of the second one; `prompt_hash` names what was asked."""

    text: str
    problem: str | None
    prompt_hash: str


class OllamaTeacher:
    """Proposes, writes, answers and judges through one model, whose replies are all validated."""

    def __init__(self, chat: OllamaChat, digest: str, config: Config) -> None:
        """A teacher on a chat that has begun and said the model's `digest`."""
        self._chat = chat
        self._teacher = config.teacher
        self._languages = config.dataset_generation.languages
        self._seed = config.dataset_generation.seed
        self._identity = MadeBy(provider="ollama", model=chat.hosts.model, digest=digest, seed=self._seed)

    @property
    def identity(self) -> MadeBy:
        """Provider, model, digest and seed."""
        return self._identity

    @property
    def ahead(self) -> int:
        """Several times what the servers may be asked at once, so that one slow reply holds nothing up."""
        return 8 * self._chat.hosts.most

    def prepare(self, schemas: Iterable[dict[str, Any]]) -> None:
        """One context for all prompts under these schemas, and for what comes back once."""
        longest = max((len(as_schema(schema).encode()) for schema in schemas), default=0)
        around = max(len(template(name)) for name in ("answer", "judge", "write_queries", "describe", "same"))
        self._chat.fit(["x" * (longest + around + MAX_REQUEST + MAX_PROBLEM + MAX_SENT_BACK)])

    async def propose(self, prompt: DomainPrompt, variant: int, examples: int) -> DomainSpec:
        """A table for a domain prompt; TeacherFailure when two replies could not be used."""
        text = filled("propose", prompt=as_data(prompt.prompt), variant=variant + 1, examples=examples)
        schema_id = f"{prompt.domain_id}-{variant:02d}"

        def spec_of(reply: str) -> DomainSpec:
            read = SpecReply.model_validate_json(reply)
            made_by = self._made_by(prompt_hash(text))
            return read.as_spec(schema_id, prompt.domain_id, variant, examples, made_by)

        asked = await self._ask(text, spec_format(examples), f"propose:{schema_id}", True, _problem_with(spec_of))
        if asked.problem:
            raise TeacherFailure(asked.problem, asked.text)
        return spec_of(asked.text)

    async def write_queries(self, schema: SchemaRow, start: int, count: int) -> list[QueryRow]:
        """Requests number `start` to `start + count - 1`; TeacherFailure when two replies could not be used."""
        numbers = range(start, start + count)
        languages = [self._languages[number % len(self._languages)] for number in numbers]
        styles = [STYLES[number % len(STYLES)] for number in numbers]
        plan = as_data([f"{language} {style}" for language, style in zip(languages, styles, strict=True)])
        written = as_schema(schema.schema_json)
        text = filled("write_queries", schema=written, count=count, plan=plan, start=start, end=numbers[-1])

        def queries_of(reply: str) -> QueriesReply:
            return QueriesReply.model_validate_json(reply).following(languages)

        key = f"write:{schema.schema_id}:{start}:{count}"
        asked = await self._ask(text, queries_format(languages), key, True, _problem_with(queries_of))
        if asked.problem:
            raise TeacherFailure(asked.problem, asked.text)
        made_by = self._made_by(asked.prompt_hash)
        replies = queries_of(asked.text).queries
        return [self._query_row(schema, number, reply, made_by) for number, reply in zip(numbers, replies, strict=True)]

    async def answer(self, schema_json: dict[str, Any], query: QueryRow) -> AnswerOutcome:
        """The AST of a request, valid under the schema, or why there is none.

        With `teacher.samples` above 1 the one that most samples mean, by canonical form; with `teacher.round_trip` only
        where the request that the AST is put back into asks for the same.
        """
        text = filled("answer", schema=as_schema(schema_json), request=as_data(query.query))
        samples = self._teacher.samples
        found = (
            await self._sample(text, schema_json, query)
            if samples == 1
            else await self._majority(text, schema_json, query)
        )
        if found.ast is not None and self._teacher.round_trip:
            return await self._there_and_back(found, schema_json, query)
        return found

    async def judge(
        self,
        schema_json: dict[str, Any],
        query: str,
        known_ast: dict[str, Any] | None,
        student_ast: dict[str, Any] | None,
    ) -> JudgeVerdict:
        """Whether the AST means what the request asks. `known_ast` is not shown: the model judges by itself."""
        if student_ast is None:
            return JudgeVerdict(verdict="error", reason="the answer could not be parsed")
        asked = await self._judged(schema_json, {"request": query, "candidate": student_ast}, "judge", "candidate")
        return asked if isinstance(asked, JudgeVerdict) else JudgeVerdict(verdict="error", reason=asked)

    async def unload(self) -> None:
        """Frees the servers' memory for another model."""
        await self._chat.hosts.unload()

    async def end(self) -> None:
        """Writes down what was paid and says it."""
        if line := self._chat.usage.line():
            print(f"{self._chat.usage.stage}: {line}", flush=True)
        self._chat.end()

    async def _sample(self, text: str, schema_json: dict[str, Any], query: QueryRow, number: int = 0) -> AnswerOutcome:
        """One answer; the first of several is the one that would be asked for alone, but for its temperature."""
        key = f"answer:{query.query_id}" + (f":{number}" if number else "")
        is_one_of_many = self._teacher.samples > 1
        asked = await self._ask(text, schema_json, key, is_one_of_many, _problem_with_ast(schema_json))
        if asked.problem:
            return AnswerOutcome(ast=None, error=asked.problem, raw=asked.text)
        return AnswerOutcome(ast=parse_ast(asked.text)[0], raw=asked.text)

    async def _majority(self, text: str, schema_json: dict[str, Any], query: QueryRow) -> AnswerOutcome:
        """The first of the answers that most samples agree on (self-consistency, Wang et al. 2022)."""
        samples = self._teacher.samples
        found = await asyncio.gather(*(self._sample(text, schema_json, query, number) for number in range(samples)))
        valid = [outcome for outcome in found if outcome.ast is not None]
        if not valid:
            return found[0]
        forms = [canonical_text(outcome.ast or {}) for outcome in valid]
        best = max(forms, key=forms.count)
        agreement, first = forms.count(best) / samples, valid[forms.index(best)]
        if agreement < self._teacher.least_agreement:
            problem = f"only {forms.count(best)} of {samples} samples agree"
            return AnswerOutcome(ast=None, error=problem, raw=first.raw, agreement=agreement)
        return replace(first, agreement=agreement)

    async def _there_and_back(
        self, found: AnswerOutcome, schema_json: dict[str, Any], query: QueryRow
    ) -> AnswerOutcome:
        """The answer, where its AST read aloud asks for what the request asks for (round trip)."""
        text = filled("describe", schema=as_schema(schema_json), language=query.language, candidate=as_data(found.ast))
        check = _problem_with(DescriptionReply.model_validate_json)
        key = f"describe:{query.query_id}"
        asked = await self._ask(text, DescriptionReply.model_json_schema(), key, False, check)
        if asked.problem:
            return replace(found, ast=None, error=f"round trip: {asked.problem}", raw=asked.text)
        said = DescriptionReply.model_validate_json(asked.text).query
        verdict = await self._judged(schema_json, {"request": query.query, "other": said}, "same", "other")
        if isinstance(verdict, str) or verdict.verdict != "accept":
            reason = verdict if isinstance(verdict, str) else verdict.reason
            return replace(found, ast=None, error=f"round trip: {reason}", raw=f"{found.raw}\n{said}")
        return found

    async def _judged(
        self, schema_json: dict[str, Any], parts: dict[str, Any], prompt: str, second: str
    ) -> JudgeVerdict | str:
        """The verdict on two parts, or why there is none. Which part and which example comes first is drawn for each
        pair, so that the place of neither counts."""
        rng = Random(f"{self._seed}:{as_data(parts)}")
        names, examples = ["request", second], list(_EXAMPLES[prompt])
        rng.shuffle(names)
        rng.shuffle(examples)
        data = as_data({name: parts[name] for name in names})
        text = filled(prompt, schema=as_schema(schema_json), data=data, examples="\n".join(examples))
        check = _problem_with(JudgeReply.model_validate_json)
        key = f"{prompt}:{prompt_hash(text)}"
        asked = await self._ask(text, JudgeReply.model_json_schema(), key, False, check)
        if asked.problem:
            return asked.problem
        read = JudgeReply.model_validate_json(asked.text)
        return JudgeVerdict(verdict=read.verdict, reason=read.reason)

    async def _ask(self, text: str, format: dict[str, Any], key: str, creative: bool, check: Checker) -> Asked:
        """One call, and a second one with the problem when the first reply cannot be used."""
        temperature = self._teacher.creative_temperature if creative else self._teacher.temperature
        prompt, reply, problem = text, "", None
        for attempt in range(2):
            answer = await self._chat.ask(prompt, format, self._seed_of(f"{key}:{attempt}"), temperature)
            reply, problem = answer.text, answer.problem or check(answer.text)
            if problem is None:
                break
            if answer.is_new and answer.is_finished and not fits(format, reply):
                self._chat.usage.add(unbound=1)
            if answer.is_new and (attempt == 1 or not reply):
                self._chat.usage.add(failures=1)
            if not reply:
                break  # the server gave none: there is nothing to mend
            # In one message: of several that do not fit a server drops the first ones, and no count tells.
            prompt = text + filled("retry", reply=as_data(reply[:MAX_SENT_BACK]), problem=as_line(problem))
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
