"""A load on one endpoint: the same request over and over on kept-alive connections, each answer checked."""

import asyncio
import ssl
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import cast

import uvloop

EVERY = 256
"""One answer of so many is kept to be looked at afterwards."""


@dataclass(frozen=True)
class Result:
    """How many answers came, the latency in seconds that half and 99 of 100 requests stayed under, and some answers."""

    count: int
    p50: float
    p99: float
    sample: tuple[bytes, ...] = field(default=(), repr=False)


class _Connection(asyncio.Protocol):
    def __init__(self, load: "Load", until: float, done: asyncio.Future[None]) -> None:
        self._load = load
        self._until = until
        self._done = done
        self._received = b""
        self._expected = 0
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._load.requests))

    def _send_in_time(self) -> None:
        """The next request, when it is due; what it waits for one that is late counts as its own time."""
        due = self._sent + self._load.every
        late = time.perf_counter() - due
        if late < 0:
            asyncio.get_running_loop().call_later(-late, self._send)
        else:
            self._send()
            self._sent = due

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if not self._expected:
            head, separator, _ = self._received.partition(b"\r\n\r\n")
            if not separator:
                return
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            self._expected = len(head) + len(separator) + length
        if len(self._received) < self._expected:
            return
        now = time.perf_counter()
        answer, self._received, self._expected = self._received, b"", 0
        if not (answer.startswith(b"HTTP/1.1 200") and self._load.mark in answer):
            self._finish(RuntimeError(f"not the answer that was expected: {answer[:300]!r}"))
            return
        latencies = self._load.latencies
        latencies.append(now - self._sent)
        if len(latencies) % EVERY == 0:
            self._load.sample.append(answer.partition(b"\r\n\r\n")[2])
        if now >= self._until:
            self._finish(None)
        elif self._load.every:
            self._send_in_time()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._finish(error or ConnectionError("the server closed the connection"))

    def _finish(self, error: Exception | None) -> None:
        if not self._done.done():
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)
        self._transport.close()


def request(method: str, path: str, form: bytes = b"", host: str = "127.0.0.1") -> bytes:
    """An HTTP/1.1 request."""
    lines = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
    if form:
        lines += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n"
    return f"{lines}\r\n".encode() + form


def token_request(realm: str, form: dict[str, str]) -> bytes:
    """A request to a realm's token endpoint."""
    return request("POST", f"/realms/{realm}/protocol/openid-connect/token", urllib.parse.urlencode(form).encode())


class Load:
    """Requests to a server on loopback, one of `requests` after the other, a sequence over and over.

    Each answer must hold `mark`.

    The host in the requests is the issuer of the tokens: one without a port, so that it is the same for every server.
    """

    def __init__(
        self,
        port: int,
        requests: Sequence[bytes] | Iterator[bytes],
        mark: bytes = b'"access_token":"',
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._port = port
        self.requests = cycle(requests) if isinstance(requests, Sequence) else requests
        self.mark = mark
        self._context = context
        self.latencies: list[float] = []
        self.sample: list[bytes] = []
        self.every = 0.0
        """Seconds from one request of a connection to its next, where the server is fast enough."""

    def run(self, connections: int, seconds: float, rate: float | None = None) -> Result:
        """Loads the server for `seconds`, with as many requests a second as it can answer, or at most `rate`.

        Raises RuntimeError for another answer than 200 with the mark.
        """
        self.latencies, self.sample = [], []
        self.every = connections / rate if rate else 0.0
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run(connections, seconds))
        latencies = sorted(self.latencies)
        count = len(latencies)
        return Result(count, latencies[count // 2], latencies[count * 99 // 100], tuple(self.sample))

    async def _run(self, connections: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = time.perf_counter() + seconds
        ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
        for end in ends:
            await loop.create_connection(
                partial(_Connection, self, until, end),
                "127.0.0.1",
                self._port,
                ssl=self._context,
                server_hostname="localhost" if self._context else None,
            )
        await asyncio.wait_for(asyncio.gather(*ends), seconds + 60)
