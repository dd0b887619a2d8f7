"""How things are when metrics are asked for: the process, what is in memory, certificates and keys."""

import os
import platform
import resource
from collections.abc import Iterator
from dataclasses import dataclass

from keyturn import __version__
from keyturn.http import metric_families as families
from keyturn.http.protocol import Connections
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.tls import Tls
from keyturn.jose.x509 import valid_from
from keyturn.process import STARTED, resident_memory
from keyturn.registry.registry import Registry


@dataclass(slots=True)
class Watched:
    """The parts of a server that gauges are read from."""

    registry: Registry
    repeated: RepeatedRequests
    connections: Connections
    tls: Tls | None

    def gauges(self) -> Iterator[str]:
        """All lines."""
        yield from self._caches()
        yield from families.CONNECTIONS.text([((), self.connections.open)])
        if self.tls is not None:
            yield from families.CERTIFICATE_EXPIRY.text([((), self.tls.expires)])
        yield from families.KEY_CREATED.text(sorted(self._oldest_keys().items()))
        yield from process()

    def _caches(self) -> Iterator[str]:
        loaded, kept = self.registry.loaded, self.registry.kept
        misses = (("realms",), loaded.realms), (("clients",), loaded.clients), (("requests",), self.repeated.misses)
        yield from families.CACHE_MISSES.text(misses)
        entries = (("realms",), kept.realms), (("clients",), kept.clients), (("requests",), len(self.repeated))
        yield from families.CACHE_ENTRIES.text(entries)

    def _oldest_keys(self) -> dict[tuple[str], int]:
        oldest: dict[tuple[str], int] = {}
        for realm in self.registry.realms():
            for each in realm.keys.keys:
                key, made = each.key, each.made
                if key is not realm.keys.signing.get(key.algorithm):
                    continue
                if key.certificate is not None:
                    made = valid_from(key.certificate)
                if made is not None:
                    oldest[key.algorithm,] = min(made, oldest.get((key.algorithm,), made))
        return oldest


def process() -> Iterator[str]:
    """Those of any process, under the names that every dashboard knows, and the versions."""
    times = os.times()
    yield from families.CPU.text([((), times.user + times.system)])
    yield from families.MEMORY.text([((), resident_memory())])
    yield from families.STARTED.text([((), STARTED)])
    descriptors = _open_descriptors()
    if descriptors is not None:
        yield from families.OPEN_FILES.text([((), descriptors)])
    yield from families.MOST_FILES.text([((), resource.getrlimit(resource.RLIMIT_NOFILE)[0])])
    yield from families.BUILD.text([((__version__, platform.python_version()), 1)])


def _open_descriptors() -> int | None:
    for directory in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(directory))  # noqa: PTH208 - no need for a Path of each
        except OSError:
            continue
    return None
