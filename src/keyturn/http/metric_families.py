"""What is measured: every family of metrics, with its labels, and how its samples are written.

Labels have few values, whatever callers send and however many clients there are: realms, errors and the like beyond a
bound are counted as ``other``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of histograms, in seconds."""


@dataclass(frozen=True, slots=True)
class Family:
    """A family of metrics: a ``counter``, a ``gauge`` or a ``histogram``."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()

    def text(self, samples: Iterable[tuple[Sequence[str], float]]) -> Iterator[str]:
        """Its lines: the values of the labels, and the number, of each sample."""
        yield from self._head()
        for values, number in samples:
            yield _sample(self.name, zip(self.labels, values, strict=True), number)

    def histogram(self, samples: Iterable[tuple[Sequence[str], Sequence[int], float]]) -> Iterator[str]:
        """Its lines: the values of the labels, what is in each bucket and beyond them, and the sum, of each sample."""
        yield from self._head()
        for values, counts, total in samples:
            labels = tuple(zip(self.labels, values, strict=True))
            for bound, count in zip((*map(repr, BUCKETS), "+Inf"), accumulate(counts), strict=True):
                yield _sample(f"{self.name}_bucket", (*labels, ("le", bound)), count)
            yield _sample(f"{self.name}_sum", labels, total)
            yield _sample(f"{self.name}_count", labels, sum(counts))

    def _head(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"


def _sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


REQUESTS: Final = Family(
    "keyturn_http_requests_total",
    "counter",
    "HTTP requests by endpoint, method and status.",
    ("endpoint", "method", "status"),
)
DURATIONS: Final = Family(
    "keyturn_http_request_duration_seconds", "histogram", "Time until an answer begins, by endpoint.", ("endpoint",)
)
TOKENS: Final = Family(
    "keyturn_tokens_issued_total",
    "counter",
    "Answers with an access token, by grant and the token's signature algorithm.",
    ("grant", "algorithm"),
)
TOKEN_FAILURES: Final = Family(
    "keyturn_token_failures_total",
    "counter",
    "Token requests that were refused, by grant and cause (an error of Keycloak's events).",
    ("grant", "cause"),
)
EVENTS: Final = Family(
    "keyturn_events_total", "counter", "Events by Keycloak's type, realm and error.", ("type", "realm", "error")
)
EVENTS_DROPPED: Final = Family(
    "keyturn_events_dropped_total", "counter", "Events that were not stored because too many waited."
)
EVENTS_WAITING: Final = Family("keyturn_events_waiting", "gauge", "Events that are not stored yet.")
STORE: Final = Family(
    "keyturn_store_duration_seconds",
    "histogram",
    "Time of a view (read) or a transaction (write) of the database, waiting for turns included.",
    ("operation",),
)
CACHE_MISSES: Final = Family(
    "keyturn_cache_misses_total",
    "counter",
    "What was asked for and not in memory: realms, clients, and requests that did not come before (answered anew).",
    ("cache",),
)
CACHE_ENTRIES: Final = Family(
    "keyturn_cache_entries", "gauge", "Realms, clients and requests that are in memory.", ("cache",)
)
CONNECTIONS: Final = Family("keyturn_connections_open", "gauge", "Connections that are open on the public ports.")
CERTIFICATE_EXPIRY: Final = Family(
    "keyturn_tls_certificate_expiry_timestamp_seconds",
    "gauge",
    "When the certificate of the HTTPS port ends, in seconds since the epoch.",
)
KEY_CREATED: Final = Family(
    "keyturn_signing_key_created_timestamp_seconds",
    "gauge",
    "When the oldest key that signs was made, of realms in memory, by algorithm; where that is known.",
    ("algorithm",),
)
CPU: Final = Family("process_cpu_seconds_total", "counter", "User and system time of this process.")
MEMORY: Final = Family("process_resident_memory_bytes", "gauge", "Resident memory of this process.")
STARTED: Final = Family("process_start_time_seconds", "gauge", "When this process began, in seconds since the epoch.")
OPEN_FILES: Final = Family("process_open_fds", "gauge", "Open file descriptors.")
MOST_FILES: Final = Family("process_max_fds", "gauge", "How many file descriptors may be open.")
BUILD: Final = Family("keyturn_build_info", "gauge", "Versions of keyturn and Python.", ("version", "python"))

FAMILIES: Final = (
    REQUESTS,
    DURATIONS,
    TOKENS,
    TOKEN_FAILURES,
    EVENTS,
    EVENTS_DROPPED,
    EVENTS_WAITING,
    STORE,
    CACHE_MISSES,
    CACHE_ENTRIES,
    CONNECTIONS,
    CERTIFICATE_EXPIRY,
    KEY_CREATED,
    CPU,
    MEMORY,
    STARTED,
    OPEN_FILES,
    MOST_FILES,
    BUILD,
)
"""All of them, in the order in which they are told."""

ALIKE: Final = frozenset({family.name for family in (BUILD, MOST_FILES, CERTIFICATE_EXPIRY)})
"""Gauges that are the same in every process of a server."""
EARLIEST: Final = frozenset({family.name for family in (STARTED, KEY_CREATED)})
"""Gauges of which the least of all processes counts."""
