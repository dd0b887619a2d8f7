"""Traces of requests, sent to a collector in OpenTelemetry's protocol (OTLP over HTTP, in JSON).

Nobody waits for the collector: spans wait in memory, bounded, and a thread sends them in batches. What does not fit, or
is not taken, is lost. A span says what was asked for and how it ended, never by whom or with what.
"""

import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from keyturn import __version__
from keyturn.http.body import Message, Receive, Scope, Send
from keyturn.http.metrics import endpoint_of, method_of
from keyturn.representations import encode

if TYPE_CHECKING:
    import httpx

_LOGGER: Final = logging.getLogger("keyturn.traces")
_PARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_CAPACITY: Final = 10_000
_BATCH: Final = 500
_PAUSE: Final = 1.0
"""Seconds for which a batch is gathered."""
_TIMEOUT: Final = 5.0
_SERVER: Final = 2
"""``SPAN_KIND_SERVER``."""
_ERROR: Final = 2
"""``STATUS_CODE_ERROR``."""

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


class Parent(NamedTuple):
    """The span of whoever sent a request (W3C Trace Context): ids in hexadecimal digits."""

    trace: str
    span: str
    sampled: bool


class _Span(NamedTuple):
    parent: Parent | None
    endpoint: str
    method: str
    status: int
    ended: int
    """In nanoseconds since the epoch."""
    seconds: float


def parent_of(headers: Headers) -> Parent | None:
    """What ``traceparent`` says; None where there is none, or none that can be read."""
    values = [value for name, value in headers if name == b"traceparent"]
    found = _PARENT.fullmatch(values[0]) if len(values) == 1 else None
    if found is None or found[1] == b"0" * 32 or found[2] == b"0" * 16:
        return None
    return Parent(found[1].decode(), found[2].decode(), bool(int(found[3], 16) & 1))


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
        if parent is not None:
            if not parent.sampled:
                return
        else:
            self._since += 1
            if self._since < self._one_in:
                return
            self._since = 0
        self._spans.append(_Span(parent, endpoint, method, status, time.time_ns(), seconds))
        if self._thread is None:  # late, so that it belongs to the process that serves
            self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
            self._thread.start()

    def watching(self, app: App) -> App:
        """`app`, with its requests recorded when their answer begins."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            begun, parent = time.perf_counter(), parent_of(scope["headers"])

            async def recording(message: Message) -> None:
                if message["type"] == "http.response.start":
                    seconds = time.perf_counter() - begun
                    self.record(parent, endpoint_of(scope["path"]), method_of(scope), message["status"], seconds)
                await send(message)

            await app(scope, receive, recording)

        return watched

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
    scope = {"scope": {"name": "keyturn", "version": __version__}, "spans": [_encoded(span) for span in spans]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _encoded(span: _Span) -> dict[str, Any]:
    parent = span.parent
    document = {
        "traceId": os.urandom(16).hex() if parent is None else parent.trace,
        "spanId": os.urandom(8).hex(),
        "name": f"{span.method} {span.endpoint}",
        "kind": _SERVER,
        "startTimeUnixNano": str(span.ended - int(span.seconds * 1e9)),
        "endTimeUnixNano": str(span.ended),
        "attributes": [
            _text("http.request.method", span.method),
            _text("http.route", span.endpoint),
            {"key": "http.response.status_code", "value": {"intValue": str(span.status)}},
        ],
    }
    if parent is not None:
        document["parentSpanId"] = parent.span
    if span.status >= 500:
        document["status"] = {"code": _ERROR}
    return document


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
