"""One model's replies to requests under a schema: from the cache where they were paid for, else from a server."""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ollama

from astudent.errors import UsageError
from astudent.teacher.ollama_hosts import About, Hosts
from astudent.teacher.reply_cache import ReplyCache, StoredReply, key_of
from astudent.teacher.usage import Usage

LEAST_CONTEXT = 16384
CONTEXT_STEP = 4096
"""A context taken from the prompts begins where ordinary schemas fit with their replies, so that stage 01, which knows no
schema yet, has the same; beyond, it is a multiple of the step, so that a prompt that is a little longer changes nothing."""
BYTES_PER_TOKEN = 2.5
"""A cautious guess for JSON and two languages (large vocabularies: 3 to 4); a prompt that is cut corrects it."""

BROKEN_OFF = "broken off"
"""Stands for the reason of a reply that the server gave up: it repeated one token without end."""
_ENDINGS = {
    "length": "the reply was cut at its greatest length (teacher.num_predict)",
    BROKEN_OFF: "the server broke the reply off, as it does where one token is repeated without end",
}


@dataclass(frozen=True)
class ChatSettings:
    """What every call of a run shares. `num_ctx` (null: from the longest prompt) and `num_predict` in tokens."""

    think: bool | str | None
    num_ctx: int | None
    num_predict: int
    keep_alive: str


@dataclass(frozen=True)
class Reply:
    """What the model answered, or why it cannot be used (`problem`). One from the cache is not `is_new`."""

    text: str
    problem: str | None
    is_finished: bool = True
    is_new: bool = True


class OllamaChat:
    """One Ollama model whose every reply is kept."""

    def __init__(self, settings: ChatSettings, hosts: Hosts, cache: ReplyCache, usage: Usage) -> None:
        self.settings, self.hosts, self.usage = settings, hosts, usage
        self._cache = cache
        self._num_ctx = settings.num_ctx or usage.num_ctx or LEAST_CONTEXT
        self._digest = ""
        self.think = settings.think
        self._most_context: int | None = None
        self._under_way: dict[bytes, asyncio.Future[None]] = {}

    async def begin(self) -> str:
        """The model's digest, after the checks before the first call; settles what the model's kind asks for.

        UsageError where a server or the model is absent, or the model's context is smaller than teacher.num_ctx.
        """
        self._digest = await self.hosts.digest()
        model = await self.hosts.about()
        self._most_context = model.context
        if model.context is not None:
            if (self.settings.num_ctx or 0) > model.context:
                what = f"teacher.num_ctx is {self.settings.num_ctx}, and {self.hosts.model} sees {model.context} tokens"
                raise UsageError(what, f"Set it to {model.context} or less, or to none.")
            self._num_ctx = min(self._num_ctx, model.context)
        self.think = _settled_think(self.settings.think, model)
        if self.think != self.settings.think:
            said = f"teacher.think {self.settings.think} -> {self.think}"
            print(f"{self.usage.stage}: {said}, as {self.hosts.model} needs it", flush=True)
        return self._digest

    def fit(self, prompts: Iterable[str]) -> None:
        """Makes room for the longest of the prompts and its reply, before the first of them is sent.

        All calls have the same context, since a server reloads the model for another; it only ever grows. UsageError
        where the model's own is too small.
        """
        longest = max((len(prompt.encode()) for prompt in prompts), default=0)
        wanted = round(longest / BYTES_PER_TOKEN) + self.settings.num_predict
        if self.settings.num_ctx is None:
            self._grow(wanted)
        elif self.settings.num_ctx < wanted:
            said = f"warning: prompt and reply may take {wanted} tokens, teacher.num_ctx is {self.settings.num_ctx}"
            print(f"{self.usage.stage}: {said}", file=sys.stderr)

    async def ask(self, prompt: str, format: dict[str, Any], seed: int, temperature: float) -> Reply:
        """The reply under `format` (a JSON Schema); nothing is paid for twice.

        A reply that was cut or broken off, or a call that the server refused or took too long for, comes back as a `problem`.
        UsageError for an absent model or too small a context, RunError when the servers are away for too long.
        """
        while True:
            request = self._request(prompt, format, seed, temperature)
            kept, is_new = await self._kept_or_sent(request)
            if isinstance(kept, str):
                return Reply("", kept, is_finished=False)
            room = request["options"]["num_ctx"]
            if kept.prompt_tokens + kept.reply_tokens <= room:
                problem = _ENDINGS.get(kept.done_reason)
                return Reply(kept.text, problem, problem is None, is_new)
            if kept.prompt_tokens < room and not self._can_grow:
                return Reply(kept.text, "the reply did not fit the context beside the prompt", False, is_new)
            if room == self._num_ctx:  # else another request has made more room meanwhile
                self._too_long(kept.prompt_tokens)

    def end(self) -> None:
        """Writes down what was paid."""
        self.usage.copy()

    def _request(self, prompt: str, format: dict[str, Any], seed: int, temperature: float) -> dict[str, Any]:
        settings = self.settings
        lengths = {"num_ctx": self._num_ctx, "num_predict": settings.num_predict}
        return {
            "model": self.hosts.model,
            "messages": [{"role": "user", "content": prompt}],
            "format": format,
            "options": {"seed": seed, "temperature": temperature, **lengths},
            "think": self.think,
            "keep_alive": settings.keep_alive,
        }

    async def _kept_or_sent(self, request: Mapping[str, Any]) -> tuple[StoredReply | str, bool]:
        """The stored reply, else a new one, stored, or why there is none; whether it is new. Of equal requests one is sent."""
        key = key_of(self._digest, request)
        while key in self._under_way:
            await asyncio.shield(self._under_way[key])
        if (kept := self._cache.get(key)) is not None:
            self.usage.add(hits=1)
            return kept, False
        self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            return await self._sent(key, request), True
        finally:
            self._under_way.pop(key).set_result(None)

    async def _sent(self, key: bytes, request: Mapping[str, Any]) -> StoredReply | str:
        sent = await self.hosts.send(lambda client: client.chat(**request))
        if sent.retries:
            self.usage.add(retries=sent.retries)
        response = sent.response
        if response is None:
            return sent.problem or ""
        reply = _stored(response, sent.seconds)
        self._cache.put(key, self.hosts.model, reply, self.usage.run, self.usage.stage)
        self.usage.copy_now_and_then()
        return reply

    def _too_long(self, prompt_tokens: int) -> None:
        """The server cuts a prompt that is too long without a word, down to num_ctx tokens exactly; where prompt and
        reply are too long together it forgets the prompt's beginning while it writes."""
        if self.settings.num_ctx is not None:
            hint = "Raise teacher.num_ctx, or set it to none."
            raise UsageError(f"the server cut a prompt to {prompt_tokens} tokens (teacher.num_ctx)", hint)
        self._grow(2 * self._num_ctx)

    @property
    def _can_grow(self) -> bool:
        return self.settings.num_ctx is None and self._num_ctx != self._most_context

    def _grow(self, tokens: int) -> None:
        wanted = -(-max(tokens, self._num_ctx) // CONTEXT_STEP) * CONTEXT_STEP
        if self._most_context is not None and wanted > self._most_context:
            if self._most_context <= self._num_ctx:
                model = self.hosts.model
                what = f"prompt and reply may take {tokens} tokens, and {model} sees {self._most_context}"
                raise UsageError(what, "Lower teacher.num_predict, or take another model.")
            wanted = self._most_context
        if wanted != self._num_ctx:
            self._num_ctx = self.usage.num_ctx = wanted
            self.usage.copy()


def _settled_think(think: bool | str | None, model: About) -> bool | str | None:
    """A model that cannot think refuses to; gpt-oss keeps to `format` only where it thinks."""
    if model.can_think is False:
        return None
    return "low" if model.family == "gptoss" and not think else think


def _stored(response: ollama.ChatResponse, wall_seconds: float) -> StoredReply:
    nanoseconds = response.total_duration
    return StoredReply(
        text=response.message.content or "",
        done_reason=response.done_reason or "" if response.done else BROKEN_OFF,
        prompt_tokens=response.prompt_eval_count or 0,
        reply_tokens=response.eval_count or 0,
        seconds=wall_seconds if nanoseconds is None else nanoseconds / 1e9,
    )
