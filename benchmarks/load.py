"""A load on the token endpoint: the same request over and over on kept-alive connections, each answer checked."""

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """How many tokens came, and the latency in seconds that half and 99 of 100 requests stayed under."""

    count: int
    p50: float
    p99: float


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, until: float, latencies: list[float], done: asyncio.Future[None]) -> None:
        self._request = request
        self._until = until
        self._latencies = latencies
        self._done = done
        self._received = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        if not (head.startswith(b"HTTP/1.1 200") and body.startswith(b'{"access_token":"')):
            self._finish(RuntimeError(f"no token: {head[:60]!r}"))
            return
        now = time.perf_counter()
        self._latencies.append(now - self._sent)
        self._received = b""
        if now < self._until:
            self._send()
        else:
            self._finish(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._finish(error or ConnectionError("the server closed the connection"))

    def _finish(self, error: Exception | None) -> None:
        if not self._done.done():
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)
        self._transport.close()


class Load:
    """Requests for tokens to a server on loopback."""

    def __init__(self, port: int, path: str, form: bytes) -> None:
        self._port = port
        self._request = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
        ).encode() + form

    def run(self, connections: int, seconds: float) -> Result:
        """Loads the server for `seconds`. Raises RuntimeError for an answer without a token."""
        return asyncio.run(self._run(connections, seconds))

    async def _run(self, connections: int, seconds: float) -> Result:
        loop = asyncio.get_running_loop()
        until, latencies = time.perf_counter() + seconds, list[float]()
        ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
        for end in ends:
            await loop.create_connection(
                lambda end=end: _Connection(self._request, until, latencies, end),  # type: ignore[misc]
                "127.0.0.1",
                self._port,
            )
        await asyncio.gather(*ends)
        latencies.sort()
        return Result(len(latencies), latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100])
