"""uvicorn's HTTP protocol on httptools, with the bounds that it lacks: on a request's head, and on slow callers."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_LOGGER: Final = logging.getLogger("keyturn.http")

MAXIMUM_HEAD: Final = 64 * 1024
"""Bytes of a request line and headers: a bearer token with thousands of roles, and room to spare."""

MAXIMUM_FIELDS: Final = 200
"""Headers of one request."""

SLOW_AFTER: Final = 30.0
"""Seconds within which a request has to arrive, once its connection waits for nothing else."""


MAXIMUM_DRAINED: Final = 1024 * 1024
"""Bytes of a body that are still read once its request has been answered; then the caller is hung up on."""


RESERVED_DESCRIPTORS: Final = 64
"""Of the files that the process may open, those that are no connection: the database, sockets, and room to spare."""


class Connections:
    """How many connections are open on the public ports, and how many may be: callers must not take the last file."""

    def __init__(self, descriptors: int) -> None:
        self._most = max(descriptors - RESERVED_DESCRIPTORS, 1)
        self._open = 0
        self._full = False

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open

    def add(self) -> bool:
        """Counts one more; whether there is room for it."""
        self._open += 1
        if self._open <= self._most:
            return True
        if not self._full:
            self._full = True
            _LOGGER.error("%d connections are open, as many as may be: others are answered 503", self._most)
        return False

    def remove(self) -> None:
        """Counts one less."""
        self._open -= 1
        if self._full and self._open < self._most * 0.9:
            self._full = False
            _LOGGER.warning("connections are taken again")


class HeadTooLarge(Exception):
    """The request line and headers are longer than ``MAXIMUM_HEAD``."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `connections` counts it, and may refuse it."""

    head = 0
    """Bytes of the current request so far that are not its body: httptools collects them without bound."""
    body_size = 0
    _owed: int | None = None
    """Bytes of the body that are still to come past the parser, once a caller has asked for another protocol."""

    def __init__(self, *args: Any, connections: Connections | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._connections = connections

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self._connections is not None and not self._connections.add():
            self._refuse(b"503 Service Unavailable")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._connections is not None:
            self._connections.remove()

    def on_message_begin(self) -> None:
        self.body_size = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        # Bytes are counted as they arrive, with what may follow the head; only then is the head itself added up.
        if len(self.headers) > MAXIMUM_FIELDS or (self.head > MAXIMUM_HEAD and self._head_size() > MAXIMUM_HEAD):
            raise HeadTooLarge
        self.begin_request()

    def on_body(self, body: bytes) -> None:
        self.head -= len(body)
        self.body_size += len(body)
        self.take_body(body)

    def on_message_complete(self) -> None:
        self.head = 0
        if self.parser.should_upgrade() and self._announced():
            return  # its body is still owed
        self.end_request()

    def begin_request(self) -> None:
        """Hands the head of a request, which is within bounds, to the application."""
        super().on_headers_complete()

    def take_body(self, body: bytes) -> None:
        """Hands a part of the request's body to the application."""
        super().on_body(body)
        if self.body_size > MAXIMUM_DRAINED and self.cycle.response_complete:
            self.transport.close()

    def end_request(self) -> None:
        """Tells the application that the request is whole."""
        super().on_message_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._owed is not None:
            self._take_owed(data)
            return
        self.head += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Java's client asks for h2c on its first request. It gets HTTP/1.1, on a connection of its own: the parser
            # takes what follows the head for another protocol, even if it is the request's body.
            self.cycle.keep_alive = False
            self._owed = self._announced()
            self._take_owed(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, HeadTooLarge):
                self._refuse(b"431 Request Header Fields Too Large")
            else:
                self._refuse(b"400 Bad Request")
        else:
            # A head without end, or trailers without end; the frames of a chunked body are fewer than the body.
            if self.head > MAXIMUM_HEAD and self.head > self.body_size:
                self._refuse(b"431 Request Header Fields Too Large")

    def _announced(self) -> int:
        """``Content-Length``, which the parser has read before."""
        return next((int(value) for name, value in self.headers if name == b"content-length"), 0)

    def _take_owed(self, data: bytes) -> None:
        """Takes the rest of a body that the parser does not read; what comes behind it is nobody's."""
        if not self._owed:
            return
        body = data[: self._owed]
        self._owed -= len(body)
        self.body_size += len(body)
        self.take_body(body)
        if not self._owed:
            self.end_request()

    def _refuse(self, status: bytes) -> None:
        """Answers what cannot be parsed, unless an answer to an earlier request is under way, and hangs up."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


async def close_slow(connections: Iterable[Any], *, after: float = SLOW_AFTER) -> None:
    """Hangs up on callers whose request does not arrive in time; runs until it is cancelled.

    Requests that are being answered are left alone. It looks at all connections now and then, so that a request costs
    nothing.
    """
    loop = asyncio.get_running_loop()
    waiting: dict[Any, tuple[Any, float]] = {}
    while True:
        await asyncio.sleep(after / 3)
        now = loop.time()
        still: dict[Any, tuple[Any, float]] = {}
        for connection in list(connections):
            cycle = connection.cycle
            if cycle is not None and not cycle.response_complete and not cycle.more_body:
                continue
            if connection.timeout_keep_alive_task is not None:
                continue  # between requests that timer counts, which uvicorn sets
            seen, since = waiting.get(connection, (cycle, now))
            if seen is not cycle:
                since = now
            if now - since >= after:
                connection.transport.abort()
            else:
                still[connection] = (cycle, since)
        waiting = still
