"""What the client assumes of a server, checked against a real one."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from real_server import CONTEXT, MODEL, RealServer

from astudent.errors import UsageError
from astudent.language.serialise import parse_ast
from astudent.teacher import ollama_chat
from astudent.teacher.ollama_chat import ChatSettings, OllamaChat
from astudent.teacher.ollama_hosts import Hosts
from astudent.teacher.replies import DescriptionReply, JudgeReply, fits, queries_format, spec_format
from astudent.teacher.reply_cache import ReplyCache
from astudent.teacher.usage import Usage

YES_OR_NO: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}
TOO_LONG = "words " * 2100
"""More tokens than the contexts of these tests hold at first: 4,200."""
Ask = Callable[..., Any]


@pytest.fixture
def chatting(server: RealServer, tmp_path: Path) -> Ask:
    """`chatting(lambda chat: …)`: what a conversation with the server gives; the cache is the test's own."""

    def converse(talk: Callable[[OllamaChat], Awaitable[Any]], model: str = MODEL, **settings: Any) -> Any:
        asked: dict[str, Any] = {"think": None, "num_ctx": 2048, "num_predict": 1024, "keep_alive": "10m"}
        hosts = Hosts([server.url], model, most=4, timeout_seconds=60, patience_seconds=5)

        async def conversation() -> Any:
            with ReplyCache(tmp_path / "cache.sqlite", 10) as cache:
                chat = OllamaChat(ChatSettings(**asked | settings), hosts, cache, Usage(cache, tmp_path, "04"))
                try:
                    await chat.begin()
                    return await talk(chat)
                finally:
                    chat.end()
                    await hosts.close()

        return asyncio.run(conversation())

    return converse


FORMATS = {
    "spec": spec_format(4),
    "queries": queries_format(["fr", "fr", "en"]),
    "judge": JudgeReply.model_json_schema(),
    "description": DescriptionReply.model_json_schema(),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_binds_a_random_model(chatting: Ask, name: str):
    async def several(chat: OllamaChat) -> list[Any]:
        return await asyncio.gather(*(chat.ask("go", FORMATS[name], seed, 1.0) for seed in range(8)))

    replies = [reply.text for reply in chatting(several) if reply.problem is None]
    assert len(replies) >= 6
    assert not [reply for reply in replies if parse_ast(reply)[1] is None and not fits(FORMATS[name], reply)]


def test_a_prompt_that_does_not_fit_is_noticed_and_asked_again_with_more_room(
    chatting: Ask, server: RealServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ollama_chat, "LEAST_CONTEXT", 4096)

    async def long(chat: OllamaChat) -> Any:
        return await chat.ask(TOO_LONG, YES_OR_NO, 1, 0.0), chat.usage.counts(), chat.usage.num_ctx

    before = len(server.chats())
    reply, counts, num_ctx = chatting(long, num_ctx=None)
    assert json.loads(reply.text)["answer"] in ("yes", "no")
    assert len(server.chats()) - before == counts["calls"] == 2 and num_ctx > 4200


def test_a_prompt_that_does_not_fit_a_configured_context_ends_the_run(chatting: Ask):
    with pytest.raises(UsageError, match="cut a prompt to 2048 tokens"):
        chatting(lambda chat: chat.ask(TOO_LONG, YES_OR_NO, 1, 0.0))


def test_a_prompt_that_the_server_still_knows_counts_the_same(chatting: Ask):
    async def twice(chat: OllamaChat) -> list[float]:
        counts = [0.0]
        for seed in (1, 2, 3):
            await chat.ask("one and the same prompt " * 20, YES_OR_NO, seed, 0.0)
            counts.append(chat.usage.counts()["prompt_tokens"])
        return [after - before for before, after in pairwise(counts)]

    first, *others = chatting(twice)
    assert first > 20 and others == [first, first]


def test_a_reply_that_drives_the_prompt_out_is_noticed(chatting: Ask):
    runs_on = {"type": "string", "minLength": 2000}
    reply = chatting(lambda chat: chat.ask("words " * 1000, runs_on, 1, 1.0))
    assert reply.problem and not reply.is_finished


def test_a_reply_that_repeats_itself_is_a_problem_of_its_own(chatting: Ask):
    runs_on = YES_OR_NO | {"properties": {"answer": {"const": "1" * 100}}}
    reply = chatting(lambda chat: chat.ask("go", runs_on, 1, 0.0))
    assert reply.problem and not reply.is_finished


def test_a_model_that_is_not_there_says_what_to_run(chatting: Ask):
    with pytest.raises(UsageError, match="model absent is not on") as caught:
        chatting(lambda chat: chat.ask("go", YES_OR_NO, 1, 0.0), model="absent")
    assert caught.value.hint == "Run: ollama pull absent"


def test_a_context_beyond_the_models_own_is_refused(chatting: Ask):
    with pytest.raises(UsageError, match=f"sees {CONTEXT} tokens"):
        chatting(lambda chat: chat.ask("go", YES_OR_NO, 1, 0.0), num_ctx=CONTEXT + 1)


def test_unloading_frees_the_server(chatting: Ask, server: RealServer):
    async def ask_and_unload(chat: OllamaChat) -> None:
        await chat.ask("go", YES_OR_NO, 1, 0.0)
        assert server.holds(MODEL)
        await chat.hosts.unload()

    chatting(ask_and_unload)
    assert not server.holds(MODEL)
