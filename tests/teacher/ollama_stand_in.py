"""A small stand-in for an Ollama server: answers /api/tags, /api/show and /api/chat from a script, and keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

Chat = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]

HALF, DROPPED = (200, {"half": True}), (0, {})
"""Replies whose connection ends in their midst, or before they begin."""


def reply(text: str, *, prompt_tokens: int = 10, done_reason: str = "stop") -> tuple[int, dict[str, Any]]:
    """What the server sends for one finished chat."""
    return 200, {
        "model": "tiny:latest",
        "message": {"role": "assistant", "content": text},
        "done": True,
        "done_reason": done_reason,
        "prompt_eval_count": prompt_tokens,
        "eval_count": 5,
    }


def error(status: int, message: str) -> tuple[int, dict[str, Any]]:
    """What the server sends for a failure."""
    return status, {"error": message}


@dataclass
class StandIn:
    """Where it listens, and the bodies of the chats it got."""

    url: str
    chats: list[dict[str, Any]] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None


@contextmanager
def serving(
    chat: Chat,
    models: tuple[str, ...] = ("tiny:latest",),
    *,
    digest: str = "digest-of-",
    context: int | None = None,
    thinking: bool | None = None,
    family: str | None = None,
    num_ctx: int | None = None,
    keys: Mapping[str, Any] | None = None,
) -> Iterator[StandIn]:
    """Serves on a free port of the loopback while the block runs. What /api/show says of the models may be given."""
    info = {"general.architecture": family, f"{family}.context_length": context, **(keys or {})}
    about: dict[str, Any] = {"model_info": info}
    if num_ctx is not None:
        about["parameters"] = (
            f'stop                           "<end_of_turn>"\nnum_ctx                        {num_ctx}'
        )
    if thinking is not None:
        about["capabilities"] = ["completion", "thinking"] if thinking else ["completion"]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            entries = [{"model": name, "name": name, "digest": f"{digest}{name}"} for name in models]
            self._send(200, {"models": [] if self.path == "/api/ps" else entries})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/api/show":
                return self._send(200, about)
            if self.path == "/api/generate":
                return self._send(200, {"done": True, "response": ""})
            stand_in.chats.append(body)
            self._send(*chat(body))

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            self.close_connection = self.close_connection or (status, answer) in (HALF, DROPPED)
            if (status, answer) == DROPPED:
                return
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload[:5] if (status, answer) == HALF else payload)

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client that gave up has closed its end
                super().handle()

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    stand_in.stop = stop
    try:
        yield stand_in
    finally:
        stop()


MAKERS = SimpleNamespace(serving=serving, reply=reply, error=error, half=HALF, dropped=DROPPED)
