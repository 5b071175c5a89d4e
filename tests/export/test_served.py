"""A server that is named wrongly, answers nonsense or dies in the middle."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from astudent.errors import RunError, UsageError
from astudent.export.causes import in_parameters
from astudent.export.served import Server, read_parameters

GOOD = json.dumps({"response": "{}", "done": True, "prompt_eval_count": 3}).encode()


@contextmanager
def answering(*replies: tuple[int, bytes]) -> Iterator[str]:
    """A server that gives these replies, then breaks every call off."""
    left = list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not left:
                self.close_connection = True
                return
            status, text = left.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *given: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_death_in_the_middle_is_a_failed_run():
    with answering((200, GOOD)) as url:
        server = Server("m", (url,))
        assert server.raw("a", 1).prompt_tokens == 3
        with pytest.raises(RunError, match="gives no reply") as caught:
            server.raw("a", 1)
    assert not isinstance(caught.value, UsageError)


def test_at_the_first_contact_it_is_the_wrong_server():
    with answering() as url, pytest.raises(UsageError, match="no Ollama server answers"):
        Server("m", (url,)).raw("a", 1)


@pytest.mark.parametrize("text", [b"<html>", b'{"response": 3, "done": "x"}', b""])
def test_a_reply_that_is_none_is_one_line(text: bytes):
    with answering((200, text)) as url, pytest.raises(UsageError, match="no Ollama server answers"):
        Server("m", (url,)).raw("a", 1)


def test_an_address_that_is_none_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:99999")
    with pytest.raises(UsageError, match="no address of a server"):
        Server("m").raw("a", 1)


def test_the_server_s_words_do_not_steer_the_terminal():
    told = json.dumps({"error": "no \x1b[2Jsuch model"}).encode()
    with answering((404, told)) as url, pytest.raises(UsageError, match=r"no U\+001B\[2Jsuch model"):
        Server("m", (url,)).raw("a", 1)


def test_parameters_as_a_server_tells_them():
    told = read_parameters(
        'num_ctx                        8192\nstop                           "<end>"\ntemperature  0\nodd  x'
    )
    assert told == {"num_ctx": [8192], "stop": ["<end>"], "temperature": [0], "odd": []}
    right = {"num_ctx": 8192, "stop": ["<end>"], "temperature": 0}
    assert list(in_parameters("Ollama", told, right)) == []
    (cause,) = in_parameters("Ollama", told, right | {"num_ctx": 512})
    assert cause == "Ollama: PARAMETER num_ctx is [8192] where [512] is right"
    assert len(list(in_parameters("Ollama", told, right | {"repeat_penalty": 1}))) == 1
