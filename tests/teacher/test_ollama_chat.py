"""Calls to a stand-in for the server: what is sent, what is tried again, what ends a run, and what is never paid twice."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from astudent.errors import RunError, UsageError
from astudent.teacher.ollama_chat import ChatSettings, OllamaChat, Reply
from astudent.teacher.ollama_hosts import Hosts, Waiting
from astudent.teacher.reply_cache import ReplyCache
from astudent.teacher.usage import Usage

FORMAT = {"type": "object"}
Talk = Callable[..., Any]


class Patient(Waiting):
    """Sleeps on a clock of its own, so that tests need no patience."""

    def __init__(self) -> None:
        self.slept = 0.0
        super().__init__(sleep=self._sleep, clock=lambda: self.slept)

    async def _sleep(self, seconds: float) -> None:
        self.slept += seconds


async def hello(chat: OllamaChat, **changes: Any) -> Reply:
    asked: dict[str, Any] = {"prompt": "hello", "format": FORMAT, "seed": 1, "temperature": 0.0}
    return await chat.ask(**asked | changes)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """`talk(url or urls, conversation, …)`: runs a conversation with a chat that has begun."""

    def run(
        urls: str | list[str],
        conversation: Callable[[OllamaChat], Awaitable[Any]] = hello,
        *,
        waiting: Waiting | None = None,
        model: str = "tiny",
        timeout: float = 5.0,
        patience: float = 60.0,
        **changes: Any,
    ) -> Any:
        settings: dict[str, Any] = {"think": None, "num_ctx": 100, "num_predict": 50, "keep_alive": "1m"}

        async def begun() -> Any:
            addresses = [urls] if isinstance(urls, str) else urls
            waits = {"timeout_seconds": timeout, "patience_seconds": patience, "waiting": waiting or Patient()}
            hosts = Hosts(addresses, model, most=8, **waits)
            with ReplyCache(tmp_path / "cache.sqlite", 100) as cache:
                chat = OllamaChat(ChatSettings(**settings | changes), hosts, cache, Usage(cache, tmp_path, "04"))
                await chat.begin()
                try:
                    return await conversation(chat)
                finally:
                    chat.end()
                    await hosts.close()

        return asyncio.run(begun())

    return run


@pytest.fixture
def usage(tmp_path: Path) -> Callable[[], dict[str, Any]]:
    """Stage 04's counts in teacher_usage.json."""
    return lambda: json.loads((tmp_path / "teacher_usage.json").read_text())["stages"]["04"]


def scripted(*answers: tuple[int, dict[str, Any]]) -> Any:
    script: Iterator[tuple[int, dict[str, Any]]] = iter(answers)
    return lambda _: next(script)


def test_a_call_carries_format_seed_temperature_and_lengths(ollama: SimpleNamespace, talk: Talk):
    with ollama.serving(scripted(ollama.reply("{}"))) as server:
        answer = talk(server.url, lambda chat: hello(chat, seed=7, temperature=0.25))
    assert (answer.text, answer.problem) == ("{}", None)
    sent = server.chats[0]
    assert sent["format"] == FORMAT
    assert sent["options"] == {"seed": 7, "temperature": 0.25, "num_ctx": 100, "num_predict": 50}
    assert sent["stream"] is False


def test_an_absent_model_names_the_pull(ollama: SimpleNamespace, talk: Talk):
    with ollama.serving(scripted()) as server, pytest.raises(UsageError) as caught:
        talk(server.url, model="large:7b")
    assert caught.value.hint == "Run: ollama pull large:7b"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[", "no such host"])
def test_no_server_is_one_line(talk: Talk, url: str):
    with pytest.raises(UsageError, match=r"no Ollama server answers|no address"):
        talk(url)


def test_hosts_with_different_versions_of_a_model_are_refused(ollama: SimpleNamespace, talk: Talk):
    with (
        ollama.serving(scripted()) as first,
        ollama.serving(scripted(), digest="another") as second,
        pytest.raises(UsageError, match="another version"),
    ):
        talk([first.url, second.url])


def test_a_busy_server_is_asked_again(ollama: SimpleNamespace, talk: Talk, usage: Any):
    waiting = Patient()
    busy = ollama.error(503, "server busy")
    with ollama.serving(scripted(busy, busy, ollama.reply("{}"))) as server:
        assert talk(server.url, waiting=waiting).text == "{}"
    assert 1.0 < waiting.slept < 4.0
    assert len(server.chats) == 3
    assert usage()["retries"] == 2


def test_a_server_that_stays_away_ends_the_run_when_the_patience_is_over(ollama: SimpleNamespace, talk: Talk):
    waiting = Patient()
    away = ollama.error(502, "bad gateway")
    with ollama.serving(lambda _: away) as server, pytest.raises(RunError, match="gives no reply for"):
        talk(server.url, waiting=waiting, patience=20.0)
    assert 0 < waiting.slept <= 20.0


def test_another_host_takes_over_from_one_that_is_gone(ollama: SimpleNamespace, talk: Talk):
    with (
        ollama.serving(lambda _: ollama.reply("{}")) as stays,
        ollama.serving(lambda _: ollama.reply("{}")) as goes,
    ):

        async def conversation(chat: OllamaChat) -> list[Reply]:
            await hello(chat)
            goes.stop()
            return [await hello(chat, seed=seed) for seed in range(2, 12)]

        answers = talk([goes.url, stays.url], conversation)
    assert [answer.text for answer in answers] == ["{}"] * 10


def test_a_model_that_vanished_stops_at_once(ollama: SimpleNamespace, talk: Talk):
    gone = ollama.error(404, "model 'tiny' not found")
    with ollama.serving(scripted(gone)) as server, pytest.raises(UsageError, match="is not on"):
        talk(server.url)


def test_a_refused_format_is_a_problem_of_this_request_only(ollama: SimpleNamespace, talk: Talk):
    with ollama.serving(scripted(ollama.error(500, "invalid JSON schema in format"))) as server:
        answer = talk(server.url)
    assert answer.problem == "the server answered 500: invalid JSON schema in format"


def test_a_server_that_fails_at_a_request_is_given_up_after_three_errors(ollama: SimpleNamespace, talk: Talk):
    with ollama.serving(lambda _: ollama.error(500, "runner has stopped")) as server:
        assert talk(server.url).problem == "the server answered 500: runner has stopped"
    assert len(server.chats) == 3


def test_half_a_reply_is_asked_for_again(ollama: SimpleNamespace, talk: Talk):
    with ollama.serving(scripted(ollama.half, ollama.dropped, ollama.reply("{}"))) as server:
        assert talk(server.url).text == "{}"
    assert len(server.chats) == 3


def test_a_reply_that_the_server_gave_up_is_paid_and_a_problem(ollama: SimpleNamespace, talk: Talk):
    given_up = 200, {"message": {"role": "assistant", "content": "{111"}, "done": False}
    with ollama.serving(scripted(given_up)) as server:
        for _ in range(2):
            reply = talk(server.url)
            assert "broke the reply off" in (reply.problem or "") and reply.text == "{111"
    assert len(server.chats) == 1


def test_a_reply_that_drives_the_prompt_out_is_a_problem(ollama: SimpleNamespace, talk: Talk):
    with ollama.serving(scripted(ollama.reply("{}", prompt_tokens=97))) as server:
        assert "did not fit the context" in (talk(server.url).problem or "")


def test_a_reply_cut_by_its_length_is_a_problem(ollama: SimpleNamespace, talk: Talk):
    with ollama.serving(scripted(ollama.reply('{"a":', done_reason="length"))) as server:
        assert "cut" in (talk(server.url).problem or "")


def test_a_prompt_cut_by_the_server_is_never_silent(ollama: SimpleNamespace, talk: Talk):
    cut = ollama.reply("{}", prompt_tokens=100)
    with ollama.serving(scripted(cut)) as server, pytest.raises(UsageError, match="num_ctx"):
        talk(server.url)


def test_a_context_from_the_prompts_grows_when_one_is_cut_all_the_same(ollama: SimpleNamespace, talk: Talk):
    replies = scripted(ollama.reply("{}", prompt_tokens=20480), ollama.reply('{"a":1}', prompt_tokens=21000))

    async def conversation(chat: OllamaChat) -> Reply:
        chat.fit(["x" * 10_000, "y" * 50_000])
        return await hello(chat)

    with ollama.serving(replies) as server:
        assert talk(server.url, conversation, num_ctx=None).text == '{"a":1}'
        assert talk(server.url, conversation, num_ctx=None).text == '{"a":1}', "the context is remembered"
    assert [chat["options"]["num_ctx"] for chat in server.chats] == [20480, 40960]


def test_a_context_that_the_model_does_not_have_is_one_line(ollama: SimpleNamespace, talk: Talk):
    async def conversation(chat: OllamaChat) -> None:
        chat.fit(["x" * 10_000])

    with ollama.serving(scripted(), context=2048) as server:
        with pytest.raises(UsageError, match="sees 2048 tokens"):
            talk(server.url, num_ctx=4096)
        with pytest.raises(UsageError, match="may take 4050 tokens, and tiny sees 2048"):
            talk(server.url, conversation, num_ctx=None)


@pytest.mark.parametrize(
    ("model", "wanted", "sent"),
    [({"thinking": False}, "medium", None), ({"thinking": True, "family": "gptoss"}, False, "low"), ({}, True, True)],
)
def test_how_a_model_thinks_is_settled_by_its_kind(
    ollama: SimpleNamespace, talk: Talk, model: dict[str, Any], wanted: Any, sent: Any
):
    with ollama.serving(scripted(ollama.reply("{}")), **model) as server:
        talk(server.url, think=wanted)
    assert server.chats[0].get("think") == sent


def test_a_server_that_hangs_is_given_up_after_two_time_outs(ollama: SimpleNamespace, talk: Talk):
    def slow(_: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        time.sleep(0.4)
        return ollama.reply("{}")

    with ollama.serving(slow) as server:
        answer = talk(server.url, timeout=0.1)
    assert answer.problem == "no reply within 0.1 s, 2 times"


def test_nothing_is_paid_for_twice(ollama: SimpleNamespace, talk: Talk, usage: Any):
    async def four(chat: OllamaChat) -> list[Reply]:
        return await asyncio.gather(*(hello(chat, seed=seed) for seed in (1, 1, 2, 1)))

    with ollama.serving(lambda body: ollama.reply(str(body["options"]["seed"]))) as server:
        first, second = talk(server.url, four), talk(server.url, four, keep_alive="9m")
    assert [answer.text for answer in first] == [answer.text for answer in second] == ["1", "1", "2", "1"]
    assert [answer.is_new for answer in second] == [False] * 4
    assert len(server.chats) == 2
    counts = usage()
    assert (counts["calls"], counts["hits"]) == (2, 6)
    assert (counts["prompt_tokens"], counts["reply_tokens"]) == (20, 10)


def test_the_costs_outlive_the_cache(ollama: SimpleNamespace, talk: Talk, usage: Any, tmp_path: Path):
    with ollama.serving(lambda _: ollama.reply("{}")) as server:
        talk(server.url)
        (tmp_path / "cache.sqlite").unlink()
        talk(server.url)
    assert (usage()["calls"], usage()["hits"]) == (2, 0)
