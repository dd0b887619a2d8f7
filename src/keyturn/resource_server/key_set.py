"""An issuer's key set (RFC 7517 §5), and when to read it again; no I/O."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.jwk import InvalidKey, PublicKey, public_key_from_jwk

__all__ = ["EMPTY", "KeyCache", "KeySet", "max_age_of", "read_key_set"]


class KeySet:
    """Verification keys by their ``kid``."""

    __slots__ = ("_by_kid", "_keys")

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        self._keys = tuple(keys)
        self._by_kid: dict[str, tuple[PublicKey, ...]] = {}
        for key in self._keys:
            self._by_kid[key.kid] = (*self._by_kid.get(key.kid, ()), key)

    def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key with that ``kid`` that `algorithm` fits. A token without ``kid`` gets the one key that fits, if it is
        one.
        """
        candidates = self._keys if kid is None else self._by_kid.get(kid, ())
        fitting = [key for key in candidates if _fits(key, algorithm)]
        return fitting[0] if fitting and (kid is not None or len(fitting) == 1) else None


EMPTY: Final = KeySet(())


def read_key_set(document: dict[str, Any]) -> KeySet:
    """The keys of a JWK Set that can verify; what is unknown, broken or weak is left out (RFC 7517 §5).

    Raises:
        ValueError: it is no JWK Set.
    """
    members = document.get("keys")
    if not isinstance(members, list):
        raise ValueError("no JWK Set")
    keys = []
    for member in members:
        try:
            keys.append(public_key_from_jwk(member if isinstance(member, dict) else {}))
        except InvalidKey:
            continue
    return KeySet(key for key in keys if key.use != "enc")


_SHORTEST: Final = 1
"""Seconds for which keys are kept, whatever the issuer says."""

_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})")


def max_age_of(headers: Mapping[str, str]) -> int | None:
    """For how many seconds an answer with these headers is fresh (RFC 9111 §5.2.2); None: they do not say.

    ``no-cache`` counts where there is an ``ETag`` as well, as from keyturn when its keys are about to change. Keycloak
    says it always: its keys would be asked for with each token.
    """
    cache_control = headers.get("cache-control", "").lower()
    found = _MAX_AGE.search(cache_control)
    if found is None:
        return 0 if "no-cache" in cache_control and "etag" in headers else None
    return int(found[1])


@dataclass(slots=True)
class KeyCache:
    """Keys and their age. Times are seconds of a monotonic clock.

    Keys are fresh for `fresh_for`, or as long as the issuer has said where that is shorter. After that they are read
    again; while that fails they serve for another `stale_for`. An unknown key causes another reading, and so does a
    failed one, but none of them within `cool_down` of the last: whoever sends made-up key ids cannot flood the issuer.
    """

    fresh_for: float
    stale_for: float
    cool_down: float
    keys: KeySet = EMPTY
    _fresh: float = 0
    _read_at: float | None = None
    _tried_at: float | None = None

    def usable(self, now: float) -> bool:
        """Whether the keys at hand may still be used."""
        return self._age(now) < self.fresh_for + self.stale_for

    def serves(self, kid: str | None, algorithm: str, now: float) -> bool:
        """Whether the keys at hand may still be used, and this one is among them."""
        return self.usable(now) and self.keys.find(kid, algorithm) is not None

    def wants_reading(self, kid: str | None, algorithm: str, now: float) -> bool:
        """Whether the keys should be read (again) for this one, and may be."""
        over = self._age(now) >= self._fresh
        if over and self._read_at is not None and self._read_at == self._tried_at:
            return True
        if self._tried_at is not None and now - self._tried_at < self.cool_down:
            return False
        return over or self.keys.find(kid, algorithm) is None

    def serves_meanwhile(self, kid: str | None, algorithm: str, now: float) -> bool:
        """Whether the reading can go on in the background: the key is here, and not long past its time."""
        return self._age(now) < 2 * self.fresh_for and self.keys.find(kid, algorithm) is not None

    def begins(self, now: float) -> None:
        """A reading begins."""
        self._tried_at = now

    def has_read(self, keys: KeySet, now: float, max_age: int | None = None) -> None:
        """A reading brought `keys`, to be kept for `max_age` where the issuer says so. Others serve no more."""
        self.keys = keys
        self._read_at = self._tried_at = now
        self._fresh = max(self.fresh_for if max_age is None else min(self.fresh_for, max_age), _SHORTEST)

    def _age(self, now: float) -> float:
        return math.inf if self._read_at is None else now - self._read_at


def _fits(key: PublicKey, algorithm: str) -> bool:
    row = SIGNATURE_ALGORITHMS.get(algorithm)
    return row is not None and row.family == key.family and key.algorithm in (None, algorithm)
