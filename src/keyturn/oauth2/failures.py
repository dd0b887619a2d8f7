"""Slows down who guesses credentials: one sender, one client, within bounds of memory. No clock and no waiting here.

Who has failed too often is told to come back later. Right credentials from another address are never looked at twice.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

MAXIMUM_SENDERS: Final = 5_000
"""Addresses of which anything is known. Past it the one that has failed least lately is forgotten."""

MAXIMUM_CLIENTS: Final = 16
"""Clients of one sender that are told apart. Further ones count as one: who tries many is a guesser in any case."""

MEMORY: Final = 900
"""Seconds without a failure after which all is forgotten, unless one may have to wait for longer."""

_OTHERS: Final = ("", "")
_LONGEST_NAME: Final = 255
_PREFIX: Final = 64
"""Bits of an IPv6 address that say where it is: the rest is the sender's to choose (RFC 4291 §2.5.1)."""


@dataclass(slots=True)
class _Count:
    failures: int = 0
    last: int = 0
    until: int = 0


class Failures:
    """The failures of all senders. Times are epoch seconds.

    `lock` is taken where something changes, for whom several threads call; who only reads takes none.
    """

    def __init__(self, lock: AbstractContextManager[object] | None = None) -> None:
        self._lock = lock or nullcontext()
        self._senders: dict[str, dict[tuple[str, str], _Count]] = {}

    def __len__(self) -> int:
        return len(self._senders)

    def wait(self, realm_id: str, client_id: str, address: str, now: int) -> int:
        """Seconds for which nothing that this sender says of this client is looked at; 0: it may try."""
        if not self._senders:
            return 0
        counts = self._senders.get(_prefix(address))
        count = None if counts is None else counts.get(_key(counts, realm_id, client_id))
        return 0 if count is None else max(count.until - now, 0)

    def count(self, realm_id: str, client_id: str, address: str, now: int, *, after: int, longest: int) -> None:
        """One failure more: beyond `after` of them, each doubles the wait, from a second to `longest`."""
        with self._lock:
            sender = _prefix(address)
            counts = self._senders.pop(sender, None)
            if counts is None:
                counts = {}
                if len(self._senders) >= MAXIMUM_SENDERS:
                    self._senders.pop(next(iter(self._senders)))
            self._senders[sender] = counts  # the last one now
            memory = max(MEMORY, longest)
            for key in [key for key, count in counts.items() if now - count.last > memory]:
                del counts[key]
            count = counts.setdefault(_key(counts, realm_id, client_id), _Count())
            count.failures += 1
            count.last = now
            beyond = count.failures - after
            if beyond > 0:
                count.until = now + min(1 << min(beyond - 1, 30), longest)

    def forget(self, realm_id: str, client_id: str, address: str) -> None:
        """Who has proved who it is starts anew."""
        if not self._senders:
            return
        sender = _prefix(address)
        with self._lock:
            counts = self._senders.get(sender)
            if counts is None:
                return
            counts.pop((realm_id, client_id[:_LONGEST_NAME]), None)
            if not counts:
                del self._senders[sender]


def _key(counts: dict[tuple[str, str], _Count], realm_id: str, client_id: str) -> tuple[str, str]:
    key = (realm_id, client_id[:_LONGEST_NAME])
    return key if key in counts or len(counts) < MAXIMUM_CLIENTS else _OTHERS


def _prefix(address: str) -> str:
    return address if ":" not in address else _prefix_6(address)


@lru_cache(maxsize=1024)
def _prefix_6(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), _PREFIX), strict=False).network_address)
