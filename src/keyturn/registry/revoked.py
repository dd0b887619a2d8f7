"""The ids of revoked access tokens in memory, so that a token can be judged without the store."""

from collections.abc import Iterable
from threading import Lock
from typing import Final

REVOKED_TOKEN: Final = "revoked_token"
"""The kind of change that names a revoked token's id."""

MAXIMUM_MORE: Final = 100_000
"""Ids of one realm that come to those that were read; then all are read again, without those of expired tokens."""


def namespace(realm_id: str) -> str:
    """Where in the store's used keys the realm's revoked access tokens stand, by ``jti``."""
    return f"revoked:{realm_id}"


class RevokedTokens:
    """What has been read of each realm, and what has been revoked since. Readers take no lock."""

    def __init__(self) -> None:
        self._complete: dict[str, set[str]] = {}
        self._partial: dict[str, set[str]] = {}
        self._most: dict[str, int] = {}
        self._lock = Lock()

    def tells(self, realm_id: str, token_id: str) -> bool | None:
        """Whether the token is revoked; None where that is not known yet: read the store, and ``fill``."""
        known = self._complete.get(realm_id)
        return None if known is None else token_id in known

    def expect(self, realm_id: str) -> set[str]:
        """To be called before the store is read: what is revoked meanwhile is not missed. Gives what ``fill`` wants."""
        with self._lock:
            return self._partial.setdefault(realm_id, set())

    def fill(self, realm_id: str, since: set[str], token_ids: Iterable[str]) -> None:
        """Takes what the store had, read after ``expect`` gave `since`, unless it was forgotten in between."""
        with self._lock:
            if self._partial.get(realm_id) is since:
                del self._partial[realm_id]
                self._complete[realm_id] = known = since | set(token_ids)
                self._most[realm_id] = len(known) + MAXIMUM_MORE

    def add(self, realm_id: str, token_id: str) -> None:
        """Notes that a token has been revoked."""
        with self._lock:
            for known in (self._complete, self._partial):
                if realm_id in known:
                    known[realm_id].add(token_id)
            if len(self._complete.get(realm_id, ())) > self._most.get(realm_id, 0):
                del self._complete[realm_id]

    def forget(self, realm_id: str) -> None:
        """Drops what is known of a realm."""
        with self._lock:
            self._complete.pop(realm_id, None)
            self._partial.pop(realm_id, None)

    def clear(self) -> None:
        """Drops what is known of all realms."""
        with self._lock:
            self._complete.clear()
            self._partial.clear()
