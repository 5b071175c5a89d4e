"""The servers that hold one model: which of them gets a call, how often it is tried, and when the run has to stop.

A call that was lost on its way (a server that is busy, restarts, hangs or breaks off) is made again after a pause with
jitter, on whichever server is free. When none has answered for longer than the patience, the run ends in one line;
what was answered is stored, so the same command goes on from there.
"""

import asyncio
import random
import re
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import ollama

from astudent.errors import RunError, UsageError
from astudent.machine import holds_model
from astudent.teacher.pace import Pace

BUSY = frozenset({429, 503})
"""The server's queue is full."""
AWAY = frozenset({502, 504})
"""A proxy before a server that restarts."""
LONGEST_PAUSE = 30.0
CONNECT_SECONDS = 10.0
UNLOADING_SECONDS = 0.1
TIMEOUTS, SERVER_ERRORS = 2, 3
"""Time-outs of a request, and errors of the server at it, after which it is given up."""
NUM_CTX = re.compile(r"^num_ctx +(\d{1,9})$", re.MULTILINE)
RESUME = "Mend it and run the same command again: it goes on where it stopped."

Call = Callable[[ollama.AsyncClient], Awaitable[ollama.ChatResponse]]


@dataclass(frozen=True)
class Sent:
    """A response with its wall time (s), or why the server gave none to this request (`problem`), and what it took."""

    response: ollama.ChatResponse | None
    problem: str | None
    seconds: float
    retries: int


@dataclass(frozen=True)
class About:
    """A model: the most tokens that it can see, whether it can think, its architecture's name, the context that it was
    created with (tokens), and what its file says of itself, by key."""

    context: int | None = None
    can_think: bool | None = None
    family: str | None = None
    num_ctx: int | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Waiting:
    """Sleep, clock and jitter; tests put their own in."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: random.Random = field(default_factory=random.Random)


@dataclass
class _Tally:
    """What a request has met so far."""

    retries: int = 0
    timeouts: int = 0
    errors: int = 0


class Host:
    """One server: its clients, its pace, and whether it was gone when last called."""

    def __init__(self, address: str, most: int) -> None:
        self.address = address
        try:
            self._idle = [_one_connection(address)]
        except (ValueError, httpx.InvalidURL) as error:
            raise UsageError(f"{address!r} is no address of a server ({error})", "Mend teacher.hosts.") from error
        self.pace = Pace(most)
        self.in_flight = 0
        self.is_gone = False

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ollama.AsyncClient]:
        """A client that nobody else uses meanwhile."""
        client = self._idle.pop() if self._idle else _one_connection(self.address)
        try:
            yield client
        finally:
            self._idle.append(client)

    async def close(self) -> None:
        """Ends the connections."""
        for client in self._idle:
            await client.close()

    @property
    def room(self) -> int:
        """Calls that may be made now; a server that is gone is tried by one call at a time."""
        return (1 if self.is_gone else self.pace.limit) - self.in_flight


def _one_connection(address: str) -> ollama.AsyncClient:
    """A client of one connection: in a pool of many, httpcore's search for an idle one costs more than the call."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    return ollama.AsyncClient(host=address, timeout=timeout, limits=limits, verify=_certificates())


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


class Hosts:
    """All servers of a run."""

    def __init__(
        self,
        addresses: Sequence[str],
        model: str,
        *,
        most: int,
        timeout_seconds: float,
        patience_seconds: float,
        waiting: Waiting | None = None,
    ) -> None:
        """`most` calls at one time on each server; times in seconds."""
        self.hosts = [Host(address, most) for address in addresses]
        self.model, self.most = model, most * len(addresses)
        self._timeout, self._patience = timeout_seconds, patience_seconds
        self._waiting = waiting or Waiting()
        self._queue: deque[asyncio.Future[Host]] = deque()
        self._bad_since: float | None = None

    async def digest(self) -> str:
        """The model's digest: the check before the first call.

        UsageError where a server does not answer, lacks the model, or holds another version of it than the first.
        """
        found = [await self._digest_on(host) for host in self.hosts]
        for host, digest in zip(self.hosts, found, strict=True):
            if digest != found[0]:
                what = f"{self.model} is another version on {host.address} than on {self.hosts[0].address}"
                raise UsageError(what, f"Run on both: ollama pull {self.model}")
        return found[0]

    async def about(self) -> About:
        """What the first server says of the model; fields that it does not know are None."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self.hosts[0].client() as client:
                shown = await client.show(self.model)
        except (TimeoutError, ConnectionError, httpx.HTTPError, ollama.ResponseError, ValueError):
            return About()
        info = shown.modelinfo or {}
        lengths = [value for name, value in info.items() if name.endswith(".context_length") and isinstance(value, int)]
        can_think = None if shown.capabilities is None else "thinking" in shown.capabilities
        own = NUM_CTX.search(shown.parameters or "")
        architecture = info.get("general.architecture")
        return About(lengths[0] if lengths else None, can_think, architecture, int(own[1]) if own else None, info)

    async def send(self, call: Call) -> Sent:
        """The response to a call, however often it has to be made.

        A request that a server refuses, fails at or takes too long for gives a `problem`. UsageError for an absent
        model, RunError when no server has answered for longer than the patience.
        """
        tally = _Tally()
        while True:
            host = await self._free_host()
            try:
                started = self._waiting.clock()
                found = await self._tried(host, call, tally)
                if isinstance(found, ollama.ChatResponse):
                    self._went_well(host, found)
                    return Sent(found, None, self._waiting.clock() - started, tally.retries)
                if isinstance(found, str):
                    return Sent(None, found, self._waiting.clock() - started, tally.retries)
                tally.retries += 1
                if host.is_gone:  # its one place stays taken meanwhile: the others do not try what is gone
                    await self._pause(tally.retries, found)
            finally:
                self._leave(host)
            if not host.is_gone:
                await self._pause(tally.retries, found)

    async def _tried(self, host: Host, call: Call, tally: _Tally) -> ollama.ChatResponse | str | Exception:
        """One try: the response, why there will never be one, or what may be gone the next time."""
        try:
            async with asyncio.timeout(self._timeout), host.client() as client:
                return await call(client)
        except ollama.ResponseError as error:
            return self._refused(host, error, tally)
        except TimeoutError:
            host.pace.back_off()
            tally.timeouts += 1
            said = f"no reply within {self._timeout:g} s"
            return f"{said}, {TIMEOUTS} times" if tally.timeouts == TIMEOUTS else TimeoutError(said)
        except (ConnectionError, httpx.TransportError) as error:
            host.is_gone = isinstance(error, ConnectionError | httpx.ConnectTimeout)
            return error
        except ValueError as error:  # half a reply is no JSON, or not all of a response
            return error

    def _refused(self, host: Host, error: ollama.ResponseError, tally: _Tally) -> str | Exception:
        if error.status_code == 404:
            raise self._absent(host) from error
        if error.status_code in BUSY:
            host.pace.back_off()
        elif error.status_code not in AWAY:
            tally.errors += 1
            if error.status_code < 500 or tally.errors == SERVER_ERRORS or "format" in error.error:
                return f"the server answered {error.status_code}: {error.error}"
        return error

    async def unload(self) -> None:
        """Frees the servers' memory: another model needs the GPU. A server that is gone has freed it already."""
        for host in self.hosts:
            try:
                async with asyncio.timeout(CONNECT_SECONDS), host.client() as client:
                    await client.generate(model=self.model, prompt="", keep_alive=0)
                    while self._is_among(await client.ps()):  # it says yes before it has done it
                        await asyncio.sleep(UNLOADING_SECONDS)
            except (TimeoutError, ConnectionError, httpx.HTTPError, ollama.ResponseError, ValueError):
                continue

    async def close(self) -> None:
        """Ends the connections."""
        for host in self.hosts:
            await host.close()

    async def _digest_on(self, host: Host) -> str:
        try:
            async with asyncio.timeout(CONNECT_SECONDS), host.client() as client:
                models = (await client.list()).models
        except (TimeoutError, ConnectionError, httpx.HTTPError, ollama.ResponseError, ValueError) as error:
            hint = "Start it with `ollama serve`, or name another host."
            why = str(error.__context__ or error) or type(error).__name__  # the client hides what its own says
            raise UsageError(f"no Ollama server answers at {host.address} ({why})", hint) from error
        for model in models:
            if holds_model([model.model or ""], self.model):
                return model.digest or ""
        raise self._absent(host)

    def _is_among(self, loaded: ollama.ProcessResponse) -> bool:
        return holds_model([model.model or "" for model in loaded.models], self.model)

    async def _free_host(self) -> Host:
        """The server with the most room, in the order of asking; it counts as taken."""
        self._queue.append(turn := asyncio.get_running_loop().create_future())
        self._wake()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(turn.result())
            raise

    def _leave(self, host: Host) -> None:
        host.in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        """Gives what room there is to those who wait longest."""
        while self._queue and (host := max(self.hosts, key=lambda host: host.room)).room > 0:
            turn = self._queue.popleft()
            if not turn.done():
                host.in_flight += 1
                turn.set_result(host)

    def _went_well(self, host: Host, response: ollama.ChatResponse) -> None:
        self._bad_since, host.is_gone = None, False
        host.pace.done(response.eval_count or 1, was_full=host.room <= 0)

    async def _pause(self, tries: int, error: Exception) -> None:
        now = self._waiting.clock()
        self._bad_since = now if self._bad_since is None else self._bad_since
        pause = min(2.0 ** (tries - 1), LONGEST_PAUSE) * self._waiting.jitter.uniform(0.5, 1.0)
        away = now - self._bad_since
        if away + pause > self._patience:
            where = ", ".join(host.address for host in self.hosts)
            raise RunError(f"the Ollama server at {where} gives no reply for {away:.0f} s ({error})", RESUME) from error
        await self._waiting.sleep(pause)

    def _absent(self, host: Host) -> UsageError:
        return UsageError(f"model {self.model} is not on {host.address}", f"Run: ollama pull {self.model}")
