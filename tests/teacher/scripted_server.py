"""An Ollama server whose model is a script and whose faults are drawn: python scripted_server.py --log FILE [flags]

Prints `listening on PORT` when it is ready. What it replies is a function of the request alone, so runs can be compared.
Faults of the transport are drawn for each arrival, so the same request may succeed the next time; faults of the model
(a reply outside its schema, no JSON, a cut one) are drawn for the request, so it errs the same way each time.

The log has a line for each chat: `got KEY` on arrival, `sent KEY` when a whole reply is in the client's hands, the
fault's name and KEY in its place otherwise. KEY is the one that the client stores the reply under.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from astudent.language.sampling import sample_ast
from astudent.language.serialise import dumps
from astudent.language.vocabulary import read_vocabulary
from astudent.teacher.reply_cache import key_of

MODEL, DIGEST = "tiny:latest", "digest-of-tiny"

ON_ARRIVAL = ("busy", "drop", "half", "broken", "crash", "hang")
"""503; no reply; half of one; half a JSON of the right length; 500; no reply for longer than any client waits."""
ONCE = ("crash", "hang")
"""At most once for a request: a client that gives up a request which is slow or crashes each time is right."""
IN_REPLY = ("misfit", "prose", "cut")
"""JSON outside its schema; no JSON; a reply that was cut at its greatest length."""

HANG_SECONDS = 60.0
STATUS = {200: "OK", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}
WORDS = (
    "orders books visits rooms loans parcels open paid late large small cheap old new first last newest oldest before after"
    " near Lyon Paris Berlin Oslo Rome January May June Monday red green blue wooden broken sold returned shipped unpaid"
    " urgent quiet early weekly monthly daily weight price"
).split()
"""Of no language, to the gate: requests of either are made of them."""


class Faults:
    """How often what goes wrong. `shares` are of all arrivals (`ON_ARRIVAL`) or requests (`IN_REPLY`); `again` is how
    much of the latter is left for a second attempt."""

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        if unknown := shares.keys() - {*ON_ARRIVAL, *IN_REPLY, "again"}:
            raise ValueError(f"no fault: {', '.join(unknown)}")
        self._shares, self._seed = shares, seed

    @classmethod
    def read(cls, text: str, seed: int) -> "Faults":
        """Of `busy=0.1,drop=0.05`."""
        pairs = (pair.split("=") for pair in text.split(",") if pair)
        return cls({name: float(share) for name, share in pairs}, seed)

    def on_arrival(self, number: int) -> str | None:
        """What goes wrong on the way for arrival `number`."""
        return self._drawn(ON_ARRIVAL, f"arrival {number}", 1.0)

    def in_reply(self, key: str, attempt: int) -> str | None:
        """What is wrong with the reply to a request."""
        return self._drawn(IN_REPLY, key, 1.0 if attempt == 0 else self._shares.get("again", 1.0))

    def _drawn(self, names: tuple[str, ...], what: str, scale: float) -> str | None:
        left = random.Random(f"{self._seed}:{what}").random()
        for name in names:
            left -= self._shares.get(name, 0.0) * scale
            if left < 0:
                return name
        return None


def text_for(body: Mapping[str, Any], key: str) -> str:
    """A right reply to a request, by the `format` that it carries."""
    schema, rng = body["format"], random.Random(key)
    properties = schema["properties"]
    if "examples" in properties:
        return json.dumps(_spec(properties["examples"]["minItems"], rng))
    if "queries" in properties:
        plan = next(line for line in body["messages"][0]["content"].splitlines() if line.startswith('["'))
        return json.dumps({"queries": [_request(entry[:2], rng) for entry in json.loads(plan)]})
    if "verdict" in properties:
        return json.dumps({"reason": "They say the same.", "verdict": rng.choice(("accept", "accept", "reject"))})
    if properties.keys() == {"query"}:
        return json.dumps({"query": _request("en", rng)["query"]})
    return dumps(sample_ast(read_vocabulary(schema), rng))


def _spec(examples: int, rng: random.Random) -> dict[str, Any]:
    kinds = ("number", "integer", "string", "boolean", "date")
    names = rng.sample([word.lower() for word in WORDS], len(kinds) + 1)
    fields: list[dict[str, Any]] = [
        {"name": name, "type": kind, "label_en": name, "label_fr": name}
        for name, kind in zip(names, kinds, strict=False)
    ]
    for field in fields[:2]:
        field |= {"minimum": 1, "maximum": 90}
    values = [{"value": value, "label_en": value, "label_fr": value} for value in ("sent", "due", "lost")]
    fields.append({"name": names[-1], "type": "enum", "label_en": "state", "label_fr": "état", "values": values})
    asked = [_request("en" if number % 2 == 0 else "fr", rng) for number in range(examples)]
    return {"domain": "shop", "entity_en": "orders", "entity_fr": "commandes", "fields": fields, "examples": asked}


def _request(language: str, rng: random.Random) -> dict[str, str]:
    return {"language": language, "query": f"{' '.join(rng.sample(WORDS, 7))} {rng.randrange(10**6)}"}


class Log:
    """The lines so far; a server that is started again goes on with them."""

    def __init__(self, path: Path) -> None:
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        self.arrivals = sum(what == "got" for what, _ in lines)
        self.met_once = {(what, key) for what, key in lines if what in ONCE}
        self._file = path.open("a")

    def add(self, what: str, key: str) -> None:
        """One line, in the file when this returns."""
        self.arrivals += what == "got"
        if what in ONCE:
            self.met_once.add((what, key))
        self._file.write(f"{what} {key}\n")
        self._file.flush()


class Server:
    """At most `slots` replies are made at one time, each in `reply_seconds`; more than `queue` that wait are refused."""

    def __init__(self, log: Log, faults: Faults, slots: int, reply_seconds: float, queue: int) -> None:
        self._log, self._faults = log, faults
        self._slots, self._free = slots, asyncio.Semaphore(slots)
        self._reply_seconds, self._queue = reply_seconds, queue
        self._under_way = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until either side ends it."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._answered(reader, writer):
                pass
        writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Reads one request and answers it; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        lengths = [int(line[15:]) for line in head if line.lower().startswith("content-length:")]
        body = json.loads(await reader.readexactly(lengths[0])) if lengths and lengths[0] else {}
        path = head[0].split()[1]
        if path == "/api/chat":
            return await self._chat(body, reader, writer)
        found = {
            "/api/tags": {"models": [{"name": MODEL, "model": MODEL, "digest": DIGEST}]},
            "/api/ps": {"models": []},
            "/api/show": {
                "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
                "capabilities": ["completion"],
            },
            "/api/generate": {"model": MODEL, "response": "", "done": True, "done_reason": "unload"},
        }.get(path)
        await _send(writer, *((200, found) if found else (404, {"error": f"no page {path}"})))
        return True

    async def _chat(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = {name: body.get(name) for name in ("model", "messages", "format", "options", "think")}
        key = key_of(DIGEST, request).hex()
        fault = self._faults.on_arrival(self._log.arrivals)
        self._log.add("got", key)
        if (fault, key) in self._log.met_once:
            fault = None
        if self._under_way >= self._slots + self._queue:
            fault = "busy"
        if fault in ("busy", "crash", "drop"):
            self._log.add(fault, key)
            if fault != "drop":
                await _send(writer, 503 if fault == "busy" else 500, {"error": f"the server is {fault}"})
            return fault != "drop"
        self._under_way += 1
        try:
            async with self._free:
                if fault == "hang":
                    self._log.add(fault, key)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(1), HANG_SECONDS)  # until the client has gone
                    return False
                await asyncio.sleep(self._reply_seconds)
        finally:
            self._under_way -= 1
        await _send(writer, 200, self._reply(body, key), half=fault == "half", broken=fault == "broken")
        self._log.add(fault or "sent", key)
        return fault != "half"

    def _reply(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        text = text_for(body, key)
        wrong = self._faults.in_reply(key, "cannot be used" in body["messages"][0]["content"])
        if wrong is not None:
            text = {"misfit": '{"colour": 3}', "prose": f"Here it is: {text}", "cut": text[: len(text) // 2]}[wrong]
        return {
            "model": body["model"],
            "message": {"role": "assistant", "content": text},
            "done": True,
            "done_reason": "length" if wrong == "cut" else "stop",
            "total_duration": round(self._reply_seconds * 1e9),
            "prompt_eval_count": sum(len(message["content"]) for message in body["messages"]) // 4,
            "eval_count": max(1, len(text) // 4),
        }


async def _send(
    writer: asyncio.StreamWriter, status: int, content: dict[str, Any], half: bool = False, broken: bool = False
) -> None:
    payload = json.dumps(content).encode()
    if broken:
        payload = payload[: len(payload) // 2]
    head = f"HTTP/1.1 {status} {STATUS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    writer.write(head.encode() + (payload[: len(payload) // 2] if half else payload))
    await writer.drain()


async def serve(asked: argparse.Namespace) -> None:
    """Serves until the process is killed."""
    faults = Faults.read(asked.faults, asked.seed)
    server = Server(Log(asked.log), faults, asked.slots, asked.reply_ms / 1000, asked.queue)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", asked.port, limit=2**24, backlog=512)
    print(f"listening on {listening.sockets[0].getsockname()[1]}", flush=True)
    async with listening:
        await listening.serve_forever()


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--port", type=int, default=0, help="0: any that is free")
    flags.add_argument("--log", type=Path, required=True)
    flags.add_argument("--faults", default="", help="busy=0.1,drop=0.05,misfit=0.1,again=0.3")
    flags.add_argument("--seed", type=int, default=0, help="of the faults")
    flags.add_argument("--slots", type=int, default=16)
    flags.add_argument("--reply-ms", type=float, default=100.0)
    flags.add_argument("--queue", type=int, default=512, help="chats that may wait for a slot")
    asyncio.run(serve(flags.parse_args()))


if __name__ == "__main__":
    main()
