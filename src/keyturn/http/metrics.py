"""Counters of what the server does, in Prometheus' text format. Cheap enough for the token path, bounded in memory."""

import os
import platform
import resource
import sys
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from keyturn import __version__
from keyturn.events.event import Event, Sink
from keyturn.events.recorder import Recorder
from keyturn.http.body import Message, Receive, Scope, Send

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"

_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds in seconds."""
_MOST_SERIES: Final = 1000
"""Combinations of labels of one counter; whoever makes realms or errors up must not fill the memory."""
_OTHER: Final = "other"
_KNOWN_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Metrics:
    """What one server has done since its start. All methods are for the event loop's thread or need no lock."""

    def __init__(self, recorder: Recorder | None = None, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._recorder = recorder
        self._clock = clock
        self._requests: dict[tuple[str, str, int], int] = {}
        self._events: dict[tuple[str, str, str], int] = {}
        self._durations: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def record(self, event: Event) -> None:
        """Counts an event by type, realm and error: as a sink of events."""
        key = (event.type, event.realm, event.error or "")
        if key not in self._events and len(self._events) >= _MOST_SERIES:
            key = (event.type, _OTHER, _OTHER if event.error else "")
        self._events[key] = self._events.get(key, 0) + 1

    def watching(self, app: App) -> App:
        """`app`, with its requests counted and timed until the answer's start."""
        count, clock = self.count, self._clock

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            begun = clock()

            async def counting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    method = scope["method"] if scope["method"] in _KNOWN_METHODS else _OTHER
                    count(endpoint_of(scope["path"]), method, message["status"], clock() - begun)
                await send(message)

            await app(scope, receive, counting)

        return watched

    def count(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        key = (endpoint, method, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        counts = self._durations.get(endpoint)
        if counts is None:
            counts = self._durations[endpoint] = [0] * (len(_BUCKETS) + 1)
            self._sums[endpoint] = 0.0
        counts[bisect_left(_BUCKETS, seconds)] += 1
        self._sums[endpoint] += seconds

    def text(self) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        return ("\n".join([*self._counted(), *self._timed(), *_process(), *_build()]) + "\n").encode()

    def _counted(self) -> Iterator[str]:
        yield from _family("keyturn_http_requests_total", "counter", "HTTP requests by endpoint, method and status.")
        for (endpoint, method, status), count in sorted(self._requests.items()):
            yield _sample("keyturn_http_requests_total", count, endpoint=endpoint, method=method, status=str(status))
        yield from _family("keyturn_events_total", "counter", "Events by Keycloak's type, realm and error.")
        for (kind, realm, error), count in sorted(self._events.items()):
            yield _sample("keyturn_events_total", count, type=kind, realm=realm, error=error)
        if self._recorder is not None:
            name = "keyturn_events_dropped_total"
            yield from _family(name, "counter", "Events that were not stored because too many waited.")
            yield _sample(name, self._recorder.dropped)
            name = "keyturn_events_waiting"
            yield from _family(name, "gauge", "Events that are not stored yet.")
            yield _sample(name, self._recorder.waiting)

    def _timed(self) -> Iterator[str]:
        name = "keyturn_http_request_duration_seconds"
        yield from _family(name, "histogram", "Time until an answer begins, by endpoint.")
        for endpoint, counts in sorted(self._durations.items()):
            total = 0
            for bound, count in zip((*map(repr, _BUCKETS), "+Inf"), counts, strict=True):
                total += count
                yield _sample(f"{name}_bucket", total, endpoint=endpoint, le=bound)
            yield _sample(f"{name}_sum", self._sums[endpoint], endpoint=endpoint)
            yield _sample(f"{name}_count", total, endpoint=endpoint)


def endpoint_of(path: str) -> str:
    """The kind of endpoint that a path leads to: few values, whatever callers ask for."""
    if path.startswith("/realms/"):
        if "/protocol/openid-connect/" not in path:
            return "realm"
        last = path.rstrip("/").rpartition("/")[2]
        return last if last in _PROTOCOL else "protocol"
    if path.startswith("/admin/"):
        return "admin"
    return "health" if path.startswith("/health") else _OTHER


_PROTOCOL: Final = frozenset({"token", "certs", "introspect", "revoke", "userinfo", "logout"})


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


def _process() -> Iterator[str]:
    times = os.times()
    yield from _family("process_cpu_seconds_total", "counter", "User and system time of this process.")
    yield _sample("process_cpu_seconds_total", times.user + times.system)
    yield from _family("process_resident_memory_bytes", "gauge", "Resident memory of this process.")
    yield _sample("process_resident_memory_bytes", resident_memory())
    yield from _family("process_start_time_seconds", "gauge", "When this process began, in seconds since the epoch.")
    yield _sample("process_start_time_seconds", _STARTED)
    descriptors = _open_descriptors()
    if descriptors is not None:
        yield from _family("process_open_fds", "gauge", "Open file descriptors.")
        yield _sample("process_open_fds", descriptors)
    yield from _family("process_max_fds", "gauge", "How many file descriptors may be open.")
    yield _sample("process_max_fds", resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _build() -> Iterator[str]:
    yield from _family("keyturn_build_info", "gauge", "Versions of keyturn and Python.")
    yield _sample("keyturn_build_info", 1, version=__version__, python=platform.python_version())


def resident_memory() -> int:
    """Resident memory of this process in bytes; where /proc is missing, the most it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()


def _open_descriptors() -> int | None:
    for directory in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(directory))  # noqa: PTH208 - no need for a Path of each
        except OSError:
            continue
    return None


def _family(name: str, kind: str, help_text: str) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, value: float, **labels: str) -> str:
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_STARTED: Final = round(time.time() - time.process_time(), 3)
"""When this process began, give or take what it waited for before this module was imported."""
