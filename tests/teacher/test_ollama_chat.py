import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from astudent.errors import RunError, UsageError
from astudent.teacher.ollama_chat import ChatSettings, OllamaChat, Waiting

FORMAT = {"type": "object"}
MESSAGES = [{"role": "user", "content": "hello"}]


class Patient(Waiting):
    """Sleeps on a clock of its own, so that tests need no patience."""

    def __init__(self) -> None:
        self.slept = 0.0
        super().__init__(sleep=self._sleep, clock=lambda: self.slept)

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds


def chat_with(url: str, waiting: Waiting | None = None, **changes: Any) -> OllamaChat:
    settings: dict[str, Any] = {
        "host": url,
        "model": "tiny",
        "think": None,
        "num_ctx": 100,
        "num_predict": 50,
        "keep_alive": "1m",
        "timeout_seconds": 5.0,
        "patience_seconds": 60.0,
    }
    return OllamaChat(ChatSettings(**settings | changes), waiting or Patient())


def scripted(*answers: tuple[int, dict[str, Any]]) -> Any:
    script: Iterator[tuple[int, dict[str, Any]]] = iter(answers)
    return lambda _: next(script)


def test_a_call_carries_format_seed_temperature_and_lengths(ollama: SimpleNamespace):
    with ollama.serving(scripted(ollama.reply("{}"))) as server:
        answer = chat_with(server.url).ask(MESSAGES, FORMAT, seed=7, temperature=0.25)
    assert (answer.text, answer.problem) == ("{}", None)
    sent = server.chats[0]
    assert sent["format"] == FORMAT
    assert sent["options"] == {"seed": 7, "temperature": 0.25, "num_ctx": 100, "num_predict": 50}
    assert sent["stream"] is False


def test_the_digest_is_read_and_an_absent_model_names_the_pull(ollama: SimpleNamespace):
    with ollama.serving(scripted()) as server:
        assert chat_with(server.url).digest() == "digest-of-tiny:latest"
        with pytest.raises(UsageError) as caught:
            chat_with(server.url, model="large:7b").digest()
    assert caught.value.hint == "Run: ollama pull large:7b"


def test_no_server_is_one_line():
    with pytest.raises(UsageError, match="no Ollama server answers"):
        chat_with("http://127.0.0.1:9").digest()


def test_a_busy_server_is_asked_again(ollama: SimpleNamespace):
    waiting = Patient()
    with ollama.serving(
        scripted(ollama.error(503, "server busy"), ollama.error(503, "server busy"), ollama.reply("{}"))
    ) as server:
        assert chat_with(server.url, waiting).ask(MESSAGES, FORMAT, 1, 0.0).text == "{}"
    assert 1.0 < waiting.slept < 4.0
    assert len(server.chats) == 3


def test_a_server_that_stays_away_ends_the_run_when_the_patience_is_over():
    waiting = Patient()
    with pytest.raises(RunError, match="is away for"):
        chat_with("http://127.0.0.1:9", waiting, patience_seconds=20.0).ask(MESSAGES, FORMAT, 1, 0.0)
    assert waiting.slept <= 20.0


def test_a_model_that_vanished_stops_at_once(ollama: SimpleNamespace):
    with (
        ollama.serving(scripted(ollama.error(404, "model 'tiny' not found"))) as server,
        pytest.raises(UsageError, match="is not on"),
    ):
        chat_with(server.url).ask(MESSAGES, FORMAT, 1, 0.0)


def test_a_refused_format_is_a_problem_of_this_request_only(ollama: SimpleNamespace):
    with ollama.serving(scripted(ollama.error(500, "invalid JSON schema in format"))) as server:
        answer = chat_with(server.url).ask(MESSAGES, FORMAT, 1, 0.0)
    assert answer.problem == "the server answered 500: invalid JSON schema in format"


def test_a_reply_cut_by_its_length_is_a_problem(ollama: SimpleNamespace):
    with ollama.serving(scripted(ollama.reply('{"a":', done_reason="length"))) as server:
        assert "cut" in (chat_with(server.url).ask(MESSAGES, FORMAT, 1, 0.0).problem or "")


def test_a_prompt_cut_by_the_server_is_never_silent(ollama: SimpleNamespace):
    with (
        ollama.serving(scripted(ollama.reply("{}", prompt_tokens=100))) as server,
        pytest.raises(UsageError, match="num_ctx"),
    ):
        chat_with(server.url).ask(MESSAGES, FORMAT, 1, 0.0)


def test_a_server_that_hangs_is_given_up_after_two_time_outs(ollama: SimpleNamespace):
    def slow(_: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        time.sleep(0.4)
        return ollama.reply("{}")

    with ollama.serving(slow) as server:
        answer = chat_with(server.url, timeout_seconds=0.1).ask(MESSAGES, FORMAT, 1, 0.0)
    assert answer.problem == "no reply within 0.1 s, twice"
