"""Counters of what the server does, in Prometheus' text format. Cheap enough for the token path, bounded in memory."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from threading import Lock
from typing import Final

from keyturn.events.event import Event, Sink
from keyturn.events.recorder import Recorder
from keyturn.http import metric_families as families
from keyturn.http.body import Message, Receive, Scope, Send
from keyturn.http.events import GRANTS
from keyturn.http.metric_families import BUCKETS

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"

_MOST_SERIES: Final = 1000
"""Combinations of labels of one counter; whoever makes realms or errors up must not fill the memory."""
_OTHER: Final = "other"
_ERROR: Final = "_ERROR"
_KNOWN_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Gauges = Callable[[], Iterator[str]]
"""Lines of what is looked at when it is asked for."""


class Histogram:
    """How long things took, by one label."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self.sums: dict[str, float] = {}

    def add(self, label: str, seconds: float) -> None:
        """Counts one that took so long."""
        counts = self.counts.get(label)
        if counts is None:
            counts = self.counts[label] = [0] * (len(BUCKETS) + 1)
            self.sums[label] = 0.0
        counts[bisect_left(BUCKETS, seconds)] += 1
        self.sums[label] += seconds

    def samples(self) -> Iterator[tuple[tuple[str], list[int], float]]:
        """By label, what is in each bucket, and the sum."""
        for label in sorted(self.counts):
            yield (label,), self.counts[label], self.sums[label]


class Metrics:
    """What one server has done since its start. All methods are for the event loop's thread or need no lock.

    Args:
        gauges: what else is to be told.
    """

    def __init__(
        self,
        recorder: Recorder | None = None,
        *,
        gauges: Gauges = lambda: iter(()),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._recorder = recorder
        self._gauges = gauges
        self._clock = clock
        self._requests: dict[tuple[str, str, int], int] = {}
        self._events: dict[tuple[str, str, str, str], int] = {}
        self._durations: Final = Histogram()
        self._store: Final = Histogram()
        self._storing: Final = Lock()

    def record(self, event: Event) -> None:
        """Counts an event by type, realm, error and algorithm: as a sink of events."""
        key = (event.type, event.realm, event.error or "", event.algorithm)
        if key not in self._events and len(self._events) >= _MOST_SERIES:
            key = (event.type, _OTHER, _OTHER if event.error else "", event.algorithm)
        self._events[key] = self._events.get(key, 0) + 1

    def watching(self, app: App) -> App:
        """`app`, with its requests counted and timed until the answer's start."""
        count, clock = self.count, self._clock

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            begun = clock()

            async def counting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    count(endpoint_of(scope["path"]), method_of(scope), message["status"], clock() - begun)
                await send(message)

            await app(scope, receive, counting)

        return watched

    def count(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        key = (endpoint, method, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        self._durations.add(endpoint, seconds)

    def count_store(self, operation: str, seconds: float) -> None:
        """Counts a use of the database. May be called by any thread."""
        with self._storing:
            self._store.add(operation, seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        return ("\n".join([*self._counted(), *self._gauges()]) + "\n").encode()

    def _counted(self) -> Iterator[str]:
        requests = sorted(self._requests.items())
        yield from families.REQUESTS.text(((e, method, str(status)), count) for (e, method, status), count in requests)
        yield from families.DURATIONS.histogram(self._durations.samples())
        issued, failed, events = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
        for (kind, realm, error, algorithm), count in self._events.items():
            events[kind, realm, error] += count
            grant = GRANTS.get(kind.removesuffix(_ERROR))
            if grant is not None and error:
                failed[grant, error] += count
            elif grant is not None:
                issued[grant, algorithm] += count
        yield from families.TOKENS.text(sorted(issued.items()))
        yield from families.TOKEN_FAILURES.text(sorted(failed.items()))
        yield from families.EVENTS.text(sorted(events.items()))
        if self._recorder is not None:
            yield from families.EVENTS_DROPPED.text([((), self._recorder.dropped)])
            yield from families.EVENTS_WAITING.text([((), self._recorder.waiting)])
        with self._storing:
            yield from list(families.STORE.histogram(self._store.samples()))


def method_of(scope: Scope) -> str:
    """The method of a request: few values, whatever callers send."""
    method: str = scope["method"]
    return method if method in _KNOWN_METHODS else _OTHER


def endpoint_of(path: str) -> str:
    """The kind of endpoint that a path leads to: few values, whatever callers ask for."""
    if path.startswith("/realms/"):
        if "/protocol/openid-connect/" not in path:
            return "realm"
        last = path.rstrip("/").rpartition("/")[2]
        return last if last in _PROTOCOL else "protocol"
    if path.startswith("/admin/"):
        below = path.split("/", 5)
        return f"admin/{below[4]}" if len(below) > 4 and below[4] in _ADMIN else "admin"
    return "health" if path.startswith("/health") else _OTHER


_PROTOCOL: Final = frozenset({"token", "certs", "introspect", "revoke", "userinfo", "logout"})
_ADMIN: Final = frozenset(
    {
        "admin-events",
        "client-policies",
        "client-scopes",
        "clients",
        "components",
        "events",
        "groups",
        "identity-provider",
        "keys",
        "partial-export",
        "partialImport",
        "roles",
        "roles-by-id",
        "users",
    }
)


class Sinks:
    """Several sinks of events as one."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks: Final = sinks

    def record(self, event: Event) -> None:
        """Hands `event` to each."""
        for sink in self._sinks:
            sink.record(event)


class ManagementService:
    """The management port: health, and metrics.

    Args:
        text: tells the metrics.
        health: what answers ``/health``.
    """

    def __init__(self, text: Callable[[], bytes], health: App) -> None:
        self._text: Final = text
        self._health: Final = health

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path: str = scope["path"].rstrip("/")
        if path != "/metrics" or scope["method"] not in {"GET", "HEAD"}:
            await self._health(scope, receive, send)
            return
        body = self._text()
        headers = [(b"content-type", CONTENT_TYPE), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
