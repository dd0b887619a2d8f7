"""Slows down who guesses credentials: one sender, one client, in memory of a fixed size. No clock and no waiting here.

Who has failed too often is told to come back later. Right credentials from another address are never looked at twice.
"""

import mmap
import struct
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple

MAXIMUM_COUNTS: Final = 2**17
"""Failures that are told apart, by sender and client, and with them senders. Past it the oldest of a few goes."""

MAXIMUM_CLIENTS: Final = 16
"""Clients of one sender that are told apart. Further ones count as one: who tries many is a guesser in any case."""

MEMORY: Final = 900
"""Seconds without a failure after which all is forgotten, unless one may have to wait for longer."""

_OTHERS: Final = ("", "")
_PREFIX: Final = 64
"""Bits of an IPv6 address that say where it is: the rest is the sender's to choose (RFC 4291 §2.5.1)."""

_COUNT: Final = struct.Struct("=QQQQQ")
_KEY: Final = struct.Struct("=Q")
_ALIKE: Final = 8
"""Counts among which one has its place."""
_SET: Final = _ALIKE * _COUNT.size


class _Count(NamedTuple):
    """Of a sender and a client, the failures; of a sender alone, the clients that it has failed for."""

    key: int
    number: int = 0
    begun: int = 0
    last: int = 0
    until: int = 0


class Failures:
    """The failures of all senders. Times are epoch seconds.

    Processes that are forked share one object, and count together. Two that write the same count in the same moment can
    lose one of their failures, which is less than any of them would grant by itself; nobody waits for anybody.

    Args:
        lock: taken where something changes, for several threads of one process; who only reads takes none.
        counts: what there is room for.
    """

    def __init__(self, lock: AbstractContextManager[object] | None = None, *, counts: int = MAXIMUM_COUNTS) -> None:
        self._lock = lock or nullcontext()
        self._sets = counts // _ALIKE
        self._used = self._sets * _SET
        """Where it stands that anybody has failed at all."""
        self._memory = mmap.mmap(-1, self._used + 1)  # pages that are never written take none

    @property
    def used(self) -> bool:
        """Whether anybody has failed yet."""
        return self._memory[self._used] != 0

    def wait(self, realm_id: str, client_id: str, address: str, now: int) -> int:
        """Seconds for which nothing that this sender says of this client is looked at; 0: it may try."""
        if not self._memory[self._used]:
            return 0
        sender = _prefix(address)
        count = self._find(_key(sender, realm_id, client_id))
        if count is None:
            clients = self._find(_key(sender))
            if clients is None or clients.number < MAXIMUM_CLIENTS:
                return 0
            count = self._find(_key(sender, *_OTHERS))
        return 0 if count is None else max(count.until - now, 0)

    def count(self, realm_id: str, client_id: str, address: str, now: int, *, after: int, longest: int) -> None:
        """One failure more: beyond `after` of them, each doubles the wait, from a second to `longest`."""
        with self._lock:
            self._memory[self._used] = 1
            sender = _prefix(address)
            memory = max(MEMORY, longest)
            key = _key(sender, realm_id, client_id)
            known = self._find(key)
            if known is None or now - known.last > memory:
                known = None
                if not self._one_client_more(_key(sender), now, memory):
                    key = _key(sender, *_OTHERS)
                    known = self._find(key)
                    known = None if known is None or now - known.last > memory else known
            known = known or _Count(key, begun=now)
            number = known.number + 1
            beyond = number - after
            until = now + min(1 << min(beyond - 1, 30), longest) if beyond > 0 else known.until
            self._put(_Count(key, number, known.begun, now, until))

    def forget(self, realm_id: str, client_id: str, address: str) -> None:
        """Who has proved who it is starts anew."""
        if not self._memory[self._used]:
            return
        sender = _prefix(address)
        key = _key(sender, realm_id, client_id)
        if self._find(key) is None:
            return
        with self._lock:
            self._remove(key)
            clients = self._find(_key(sender))
            if clients is not None and clients.number > 1:
                self._put(clients._replace(number=clients.number - 1))
            elif clients is not None:
                self._remove(clients.key)

    def _one_client_more(self, sender: int, now: int, memory: int) -> bool:
        """Whether there is room for another client of this sender."""
        clients = self._find(sender)
        if clients is None or now - clients.begun > memory:
            clients = _Count(sender, begun=now)
        if clients.number >= MAXIMUM_CLIENTS:
            return False
        self._put(clients._replace(number=clients.number + 1, last=now))
        return True

    def _find(self, key: int) -> _Count | None:
        at = self._place(key)
        return None if at < 0 else _Count._make(_COUNT.unpack_from(self._memory, at))

    def _place(self, key: int) -> int:
        """Where the count of this key is; negative where there is none."""
        begin = key % self._sets * _SET
        at = self._memory.find(_KEY.pack(key), begin, begin + _SET)
        return at if (at - begin) % _COUNT.size == 0 else -1

    def _put(self, count: _Count) -> None:
        """Writes it in its place, that of nobody, or that of the one among its like that is the oldest."""
        at = self._place(count.key)
        if at < 0:
            begin = count.key % self._sets * _SET
            places = range(begin, begin + _SET, _COUNT.size)
            at = min(places, key=lambda place: _Count._make(_COUNT.unpack_from(self._memory, place)).last)
        self._memory[at : at + _COUNT.size] = _COUNT.pack(*count)

    def _remove(self, key: int) -> None:
        at = self._place(key)
        if at >= 0:
            self._memory[at : at + _COUNT.size] = bytes(_COUNT.size)


def _key(*parts: str) -> int:
    """What stands for a sender, or for it and a client. Nobody outside can tell: the hash of a text is random in each
    server, and the same in the processes that are forked from it.
    """
    return hash(parts) & 0xFFFF_FFFF_FFFF_FFFF or 1


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
