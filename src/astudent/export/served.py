"""The exported model on an Ollama server: made from a GGUF, asked raw and through its template."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import ollama

from astudent.errors import AstudentError, RunError, UsageError
from astudent.export.modelfile import Turn
from astudent.machine import ollama_hosts
from astudent.report.markdown import visible

SECONDS = 600.0
"""Longest wait for one reply, or for the server to read a file (s)."""
KEEP = "10m"


@dataclass(frozen=True)
class Reply:
    """What the server said. `prompt_tokens` as it counted them; `tokens` are the answer's texts with their natural
    log-probabilities, the end of turn left out. `broken_off`: it gave up, as it does after one token 30 times over, and
    then tells no count."""

    text: str
    prompt_tokens: int
    tokens: list[tuple[str, float]]
    broken_off: bool = False


class Server:
    """One model on the first of the named servers, else on OLLAMA_HOST, else on this machine."""

    def __init__(self, model: str, hosts: tuple[str, ...] = ()) -> None:
        self.model, self.address = model, ollama_hosts(hosts)[0]
        self._has_answered = False

    def create(self, gguf: Path, turn: Turn, parameters: Mapping[str, Any]) -> None:
        """Makes the model, or makes it anew. UsageError for a name that the server refuses."""
        digest = self._ask(lambda client: client.create_blob(gguf))
        options: dict[str, Any] = dict(parameters)
        self._ask(
            lambda client: client.create(
                self.model, files={gguf.name: digest}, template=turn.template(), parameters=options
            )
        )

    def raw(self, prompt: str, most: int) -> Reply:
        """The answer to a prompt that is rendered already, of at most so many tokens."""
        found = self._ask(
            lambda client: client.generate(
                self.model, prompt, raw=True, logprobs=True, options={"num_predict": most}, keep_alive=KEEP
            )
        )
        return _reply(found.response or "", found)

    def chat(self, content: str, most: int) -> Reply:
        """The answer to a request through the model's own template."""
        found = self._ask(
            lambda client: client.chat(
                self.model,
                [{"role": "user", "content": content}],
                logprobs=True,
                options={"num_predict": most},
                keep_alive=KEEP,
            )
        )
        return _reply(found.message.content or "", found)

    def parameters(self) -> dict[str, list[str | float]]:
        """The parameters that the model is served with, as the server tells them."""
        return read_parameters(self._ask(lambda client: client.show(self.model)).parameters or "")

    def facts(self) -> tuple[dict[str, Any], str]:
        """The GGUF's keys as the server tells them (long lists left out), and the model's template."""
        shown = self._ask(lambda client: client.show(self.model))
        return dict(shown.modelinfo or {}), shown.template or ""

    def _ask[T](self, call: Callable[[ollama.Client], T]) -> T:
        try:
            with self._client() as client:
                found = call(client)
        except ollama.ResponseError as error:
            kind = UsageError if error.status_code in (400, 404) else RunError
            raise kind(
                f"{self.address}: {self.model}: {visible(_first_line(error.error))}", "Mend --ollama-name."
            ) from error
        except (
            ConnectionError,
            httpx.HTTPError,
            ValueError,
        ) as error:  # half a reply is no JSON, or not all of a response
            raise self._gone(error) from error
        self._has_answered = True
        return found

    def _client(self) -> ollama.Client:
        try:
            return ollama.Client(host=self.address, timeout=SECONDS)
        except (ValueError, httpx.InvalidURL) as error:
            what = f"{visible(self.address)} is no address of a server ({visible(str(error))})"
            raise UsageError(what, "Set OLLAMA_HOST.") from error

    def _gone(self, error: Exception) -> AstudentError:
        """A server that never answered was named wrongly; one that did has failed."""
        why = visible(_first_line(str(error.__context__ or error) or type(error).__name__))
        if self._has_answered:
            return RunError(
                f"the Ollama server at {self.address} gives no reply ({why})", "Run the same command again."
            )
        hint = "Start one with `ollama serve`, or set OLLAMA_HOST."
        return UsageError(f"no Ollama server answers at {self.address} ({why})", hint)


def read_parameters(told: str) -> dict[str, list[str | float]]:
    """The lines of /api/show: a name, blanks, and a number or a text in quotation marks; a name may stand several times."""
    found: dict[str, list[str | float]] = {}
    for line in told.splitlines():
        name, _, value = line.strip().partition(" ")
        with suppress(ValueError):
            found.setdefault(name, []).append(json.loads(value))
    return found


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["refused"])[0][:200]


def _reply(text: str, found: ollama.GenerateResponse | ollama.ChatResponse) -> Reply:
    tokens = [(entry.token or "", float(entry.logprob or 0.0)) for entry in found.logprobs or ()]
    return Reply(text, found.prompt_eval_count or 0, tokens, broken_off=not found.done)
