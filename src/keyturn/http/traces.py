"""Traces of requests, sent to a collector in OpenTelemetry's protocol (OTLP over HTTP, in JSON).

A request that was not answered from memory has a span below its own for each view and transaction of the database.

Nobody waits for the collector: spans wait in memory, bounded, and a thread sends them in batches. What does not fit, or
is not taken, is lost. A span says what was asked for and how it ended, never by whom or with what.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from keyturn import __version__
from keyturn.http.body import Message, Receive, Scope, Send
from keyturn.http.metrics import endpoint_of, method_of
from keyturn.http.trace_context import Parent, parent_of
from keyturn.representations import encode

if TYPE_CHECKING:
    import httpx

_LOGGER: Final = logging.getLogger("keyturn.traces")
_CAPACITY: Final = 10_000
_BATCH: Final = 500
_PAUSE: Final = 1.0
"""Seconds for which a batch is gathered."""
_TIMEOUT: Final = 5.0
_SERVER: Final = 2
"""``SPAN_KIND_SERVER``."""
_CLIENT: Final = 3
"""``SPAN_KIND_CLIENT``."""
_MOST_STORED: Final = 100
"""Uses of the database that are told of one request."""
_ERROR: Final = 2
"""``STATUS_CODE_ERROR``."""

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Timed = Callable[[str, float], None]
"""Told of each use of the database, in its thread: ``read`` or ``write``, and the seconds that it took."""


class _Stored(NamedTuple):
    """A view (``read``) or a transaction (``write``) of the database that a request waited for."""

    operation: str
    ended: int
    """In nanoseconds since the epoch."""
    seconds: float


class _Span(NamedTuple):
    parent: Parent | None
    endpoint: str
    method: str
    status: int
    ended: int
    """In nanoseconds since the epoch."""
    seconds: float
    stored: tuple[_Stored, ...] = ()


_STORED: Final[ContextVar[list[_Stored] | None]] = ContextVar("stored", default=None)
"""What the database did for the request that is being served; None where it is not traced."""


class Traces:
    """Sends spans to a collector. Requests whose sender is traced are, of the others one of `one_in`.

    Args:
        endpoint: the collector's address, to which ``/v1/traces`` is added.
    """

    def __init__(self, endpoint: str, one_in: int) -> None:
        self._url: Final = f"{endpoint.rstrip('/')}/v1/traces"
        self._collector: Final = self._url.partition("://")[2].rpartition("@")[2]
        """What the log calls it: its address may have a password in it."""
        self._one_in: Final = one_in
        self._since = 0
        self._spans: Final = deque[_Span](maxlen=_CAPACITY)
        self._stopping: Final = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def record(self, parent: Parent | None, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Takes note of a request that was answered just now; it took so long. For the event loop's thread."""
        if self._chosen(parent):
            self._keep(_Span(parent, endpoint, method, status, time.time_ns(), seconds))

    def watching(self, app: App) -> App:
        """`app`, with its requests recorded when their answer begins, and what the database did until then."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            begun, parent = time.perf_counter(), parent_of(scope["headers"])
            if not self._chosen(parent):
                await app(scope, receive, send)
                return
            stored: list[_Stored] = []

            async def recording(message: Message) -> None:
                if message["type"] == "http.response.start":
                    ended, seconds = time.time_ns(), time.perf_counter() - begun
                    endpoint, method, status = endpoint_of(scope["path"]), method_of(scope), message["status"]
                    self._keep(_Span(parent, endpoint, method, status, ended, seconds, tuple(stored)))
                await send(message)

            before = _STORED.set(stored)
            try:
                await app(scope, receive, recording)
            finally:
                _STORED.reset(before)

        return watched

    def timing(self, timed: Timed) -> Timed:
        """`timed`, with what the database does for a traced request becoming spans below that request's."""

        def both(operation: str, seconds: float) -> None:
            timed(operation, seconds)
            stored = _STORED.get()
            if stored is not None and len(stored) < _MOST_STORED:
                stored.append(_Stored(operation, time.time_ns(), seconds))

        return both

    def _chosen(self, parent: Parent | None) -> bool:
        """Whether a request is traced: as its sender says, else one of so many."""
        if parent is not None:
            return parent.sampled
        self._since += 1
        if self._since < self._one_in:
            return False
        self._since = 0
        return True

    def _keep(self, span: _Span) -> None:
        self._spans.append(span)
        if self._thread is None:  # late, so that it belongs to the process that serves
            self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Sends what waits, and ends."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2 * _TIMEOUT)

    def _run(self) -> None:
        import httpx  # 5 MB, and most servers send no traces

        with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
            while not self._stopping.wait(_PAUSE):
                self._send(client)
            self._send(client)

    def _send(self, client: "httpx.Client") -> None:
        import httpx

        while self._spans:
            batch = [self._spans.popleft() for _ in range(min(_BATCH, len(self._spans)))]
            try:
                answer = client.post(self._url, content=encode(_document(batch)), headers=_JSON)
                answer.raise_for_status()
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not self._failing:
                    _LOGGER.warning("traces are lost: %s: %s", self._collector, _reason(error))
                self._failing = True
                return
            if self._failing:
                _LOGGER.warning("traces are taken again")
            self._failing = False


_JSON: Final = {"content-type": "application/json"}


def _reason(error: Exception) -> str:
    """Why a batch was not taken, without the address that errors of `httpx` quote."""
    response = getattr(error, "response", None)
    return type(error).__name__ if response is None else str(response.status_code)


def _document(spans: Iterable[_Span]) -> dict[str, Any]:
    """``ExportTraceServiceRequest``."""
    resource = {"attributes": [_text("service.name", "keyturn"), _text("service.version", __version__)]}
    encoded = [each for span in spans for each in _encoded(span)]
    scope = {"scope": {"name": "keyturn", "version": __version__}, "spans": encoded}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _encoded(span: _Span) -> Iterator[dict[str, Any]]:
    """That of the request, and those of the database below it."""
    trace = os.urandom(16).hex() if span.parent is None else span.parent.trace
    document = _timed(trace, f"{span.method} {span.endpoint}", _SERVER, span.ended, span.seconds)
    document["attributes"] = [
        _text("http.request.method", span.method),
        _text("http.route", span.endpoint),
        {"key": "http.response.status_code", "value": {"intValue": str(span.status)}},
    ]
    if span.parent is not None:
        document["parentSpanId"] = span.parent.span
    if span.status >= 500:
        document["status"] = {"code": _ERROR}
    yield document
    for stored in span.stored:
        below = _timed(trace, f"store {stored.operation}", _CLIENT, stored.ended, stored.seconds)
        yield below | {"parentSpanId": document["spanId"], "attributes": [_text("db.operation.name", stored.operation)]}


def _timed(trace: str, name: str, kind: int, ended: int, seconds: float) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": os.urandom(8).hex(),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(ended - int(seconds * 1e9)),
        "endTimeUnixNano": str(ended),
    }


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
