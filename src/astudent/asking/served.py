"""A student on Ollama servers, asked as it was trained: its prompt is the one user's turn of a chat.

/api/chat and not a raw prompt: that is what an application calls, so what is measured is what is deployed. The model's
own TEMPLATE puts the marks of a turn around the prompt; to render them here would take the base's tokenizer.
"""

import hashlib
from typing import Any

from astudent.asking.reply import Reply
from astudent.errors import RunError, UsageError
from astudent.generation import Generation
from astudent.prompt import prompt_of_keys
from astudent.settings import Prompt
from astudent.teacher.ollama_hosts import Hosts, Sent

SCHEME = "ollama:"
CONTEXT = 8192
"""Tokens of prompt and answer, where the model says no `num_ctx` itself and sees as many."""
MAX_SEED = 2**31 - 1  # the server reads a 32-bit integer


def is_served(student: str) -> bool:
    """Whether the student is named as one on a server, `ollama:NAME`."""
    return student.startswith(SCHEME)


def served_name(student: str) -> str:
    """NAME of `ollama:NAME`. UsageError for any other spelling."""
    name = student.removeprefix(SCHEME)
    if not is_served(student) or not name.strip():
        raise UsageError(f"{student!r} names no served student", f"Write {SCHEME}NAME, as `ollama list` has it.")
    return name


def refuse_beams(student: str, how: Generation) -> None:
    """UsageError for a beam search."""
    if how.beams > 1:
        raise UsageError(f"{student}: an Ollama server has no beam search", "Take one beam, or the adapter.")


class ServedModel:
    """One model, asked for free answers or for such as a schema binds (`format`)."""

    def __init__(self, hosts: Hosts, how: Generation) -> None:
        self.hosts, self._how = hosts, how
        self._context, self._think = CONTEXT, None
        self.prompt: Prompt | None = None  # the one of its training, where its file says it

    async def begin(self) -> str:
        """The model's digest. UsageError where no server answers or one lacks the model."""
        digest = await self.hosts.digest()
        model = await self.hosts.about()
        # the model's own: any other makes the server load it again, and an application sends none
        asked = model.num_ctx or CONTEXT
        self._context = min(asked, model.context or asked)  # a larger one is cut to what the model sees
        self._think = False if model.can_think else None
        self.prompt = prompt_of_keys(model.keys)
        return digest

    async def answer(self, content: str, schema: dict[str, Any] | None) -> Reply:
        """The reply to a prompt, under `schema` where one is given; sent again as long as the servers are only busy or away.

        RunError where the server refuses it or cuts the prompt.
        """
        request = self._request(content.strip(), schema)
        sent = await self.hosts.send(lambda client: client.chat(**request))
        return self._read(sent)

    def _request(self, content: str, schema: dict[str, Any] | None) -> dict[str, Any]:
        how = self._how
        options = {
            "temperature": how.temperature,
            "top_p": how.top_p,
            "seed": _seed(how.seed, content),
            "num_predict": how.max_new_tokens,
            "num_ctx": self._context,
        }
        messages = [{"role": "user", "content": content}]
        return {
            "model": self.hosts.model,
            "messages": messages,
            "format": schema,
            "options": options,
            "think": self._think,
        }

    def _read(self, sent: Sent) -> Reply:
        response = sent.response
        if response is None:
            raise RunError(f"{self.hosts.model}: {sent.problem}", "Mend it and run the same command again.")
        prompt, tokens = response.prompt_eval_count or 0, response.eval_count or 0
        if prompt >= self._context:  # it cuts without a word, to that many tokens exactly
            hint = "Create the model with a larger PARAMETER num_ctx."
            raise RunError(
                f"{self.hosts.model}: the server cut a prompt to its {self._context} tokens of context", hint
            )
        ended = response.done and response.done_reason != "length" and prompt + tokens <= self._context
        worked = (response.prompt_eval_duration or 0) + (response.eval_duration or 0)  # ns, without the server's queue
        return Reply(response.message.content or "", prompt, tokens, not ended, worked / 1e9 or sent.seconds)


def _seed(seed: int, content: str) -> int:
    """A sampled answer depends on the seed and its own prompt alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{content}".encode()).digest()[:8]) % MAX_SEED
