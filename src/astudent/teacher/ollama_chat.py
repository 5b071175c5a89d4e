"""Talking to an Ollama server: time-outs, back-off with jitter, and the errors that end a run in one line."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import ollama

from astudent.errors import RunError, UsageError

# The server answers 503 when its queue is full, and these while it or a proxy before it restarts.
_BUSY = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class ChatSettings:
    """What every call of a run shares. Times in seconds; `num_ctx` and `num_predict` (longest reply) in tokens."""

    host: str
    model: str
    think: bool | str | None
    num_ctx: int
    num_predict: int
    keep_alive: str
    timeout_seconds: float
    patience_seconds: float


@dataclass(frozen=True)
class Reply:
    """What the model answered, or why there is nothing to read (`problem`)."""

    text: str
    problem: str | None
    prompt_tokens: int
    reply_tokens: int


@dataclass
class Waiting:
    """Sleep, clock and jitter; tests put their own in."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: random.Random = field(default_factory=random.Random)


class OllamaChat:
    """One Ollama model on one host, one call at a time."""

    def __init__(self, settings: ChatSettings, waiting: Waiting | None = None) -> None:
        self.settings = settings
        self._waiting = waiting or Waiting()
        self._client = ollama.Client(host=settings.host, timeout=settings.timeout_seconds)

    def digest(self) -> str:
        """The model's digest on the server: the check before the first call.

        UsageError where there is no server, or it lacks the model.
        """
        try:
            models = self._client.list().models
        except (ConnectionError, httpx.HTTPError, ollama.ResponseError) as error:
            hint = "Start it with `ollama serve`, or name another in teacher.hosts."
            raise UsageError(f"no Ollama server answers at {self.settings.host} ({error})", hint) from error
        wanted = {self.settings.model, f"{self.settings.model}:latest"}
        for model in models:
            if model.model in wanted:
                return model.digest or ""
        raise self._absent()

    def ask(
        self, messages: Sequence[Mapping[str, str]], format: dict[str, Any], seed: int, temperature: float
    ) -> Reply:
        """One reply under `format` (a JSON Schema).

        A reply that was cut, or a call that timed out twice or was refused by the server, comes back as a `problem`.
        UsageError for an absent model, RunError when the server is away for longer than the patience.
        """
        started, attempt, timeouts = self._waiting.clock(), 0, 0
        while True:
            attempt += 1
            try:
                return self._reply(self._call(messages, format, seed, temperature))
            except ollama.ResponseError as error:
                if error.status_code == 404:
                    raise self._absent() from error
                if error.status_code not in _BUSY:
                    return Reply("", f"the server answered {error.status_code}: {error.error}", 0, 0)
                last: Exception = error
            except httpx.TimeoutException as error:
                timeouts += 1
                if timeouts > 1:
                    return Reply("", f"no reply within {self.settings.timeout_seconds:g} s, twice", 0, 0)
                last = error
            except (ConnectionError, httpx.TransportError) as error:
                last = error
            self._pause(attempt, started, last)

    def unload(self) -> None:
        """Frees the server's memory: another model needs the GPU next. A server that is gone has freed it already."""
        try:
            self._client.generate(model=self.settings.model, prompt="", keep_alive=0)
        except (ConnectionError, httpx.HTTPError, ollama.ResponseError):
            return

    def _call(
        self, messages: Sequence[Mapping[str, str]], format: dict[str, Any], seed: int, temperature: float
    ) -> ollama.ChatResponse:
        settings = self.settings
        # The same num_ctx in every call: the server reloads the model for another.
        lengths = {"num_ctx": settings.num_ctx, "num_predict": settings.num_predict}
        return self._client.chat(
            model=settings.model,
            messages=messages,
            format=format,
            options={"seed": seed, "temperature": temperature, **lengths},
            think=settings.think,  # pyright: ignore[reportArgumentType]
            keep_alive=settings.keep_alive,
        )

    def _reply(self, response: ollama.ChatResponse) -> Reply:
        prompt_tokens, reply_tokens = response.prompt_eval_count or 0, response.eval_count or 0
        # The server cuts a prompt that is too long without a word, down to num_ctx tokens exactly.
        if prompt_tokens >= self.settings.num_ctx:
            hint = "Raise teacher.num_ctx."
            raise UsageError(f"the server cut a prompt to {prompt_tokens} tokens (teacher.num_ctx)", hint)
        problem = "the reply was cut at its greatest length" if response.done_reason == "length" else None
        return Reply(response.message.content or "", problem, prompt_tokens, reply_tokens)

    def _pause(self, attempt: int, started: float, error: Exception) -> None:
        pause = min(2.0 ** (attempt - 1), _LONGEST_PAUSE) * self._waiting.jitter.uniform(0.5, 1.0)
        waited = self._waiting.clock() - started
        if waited + pause > self.settings.patience_seconds:
            message = f"the Ollama server at {self.settings.host} is away for {waited:.0f} s ({error})"
            raise RunError(message, "Mend it and run the same command again: it goes on where it stopped.") from error
        self._waiting.sleep(pause)

    def _absent(self) -> UsageError:
        model = self.settings.model
        return UsageError(f"model {model} is not on {self.settings.host}", f"Run: ollama pull {model}")
