"""Key sets of clients at URLs (``jwks.url``): read when they are needed, kept in bounds, and never read too often."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from keyturn.http.outbound import Unreachable
from keyturn.http.workload import own_token
from keyturn.model.client_keys import ClientKeys, UnreadableKeys, read_client_keys
from keyturn.oauth2.inquiries import ReadKeys

_LOGGER: Final = logging.getLogger("keyturn.keys")

FRESH: Final = 600.0
"""Seconds for which keys are not read again, unless one is asked for that is not among them."""
FRESH_BUNDLE: Final = 300.0
"""The same of a SPIFFE bundle, unless it says something else itself (``spiffe_refresh_hint``)."""
LONGEST_FRESH: Final = 3600.0
"""More than that it cannot say, nor less than ``COOL_DOWN``."""
STALE: Final = 6 * 3600.0
"""Seconds for which they serve at most while they cannot be read again."""
COOL_DOWN: Final = 10.0
"""Seconds between two readings (Keycloak ``minTimeBetweenRequests``): whoever makes up key ids cannot flood the URL."""
_AFTER_FAILURE: Final = 3.0
"""The same, after one that failed."""

MAXIMUM_SETS: Final = 2000
_MAXIMUM_READINGS: Final = 64
"""Sets that are read at the same time."""

_METADATA: Final = "/.well-known/openid-configuration"

_Place: TypeAlias = tuple[str, bool, bool]
"""A URL, whether it is that of an issuer, whose metadata names the set's, and whether the set is a SPIFFE bundle."""

Get: TypeAlias = Callable[[str, str | None], Awaitable[bytes]]
"""Fetches a URL, with a bearer token if there is one. Raises Unreachable."""


@dataclass(slots=True)
class _Set:
    """`keys` None: they could never be read. Times are seconds of a monotonic clock."""

    keys: ClientKeys | None
    read_at: float
    tried_at: float
    problem: str | None


class RemoteKeys:
    """The key sets that one server has read. `clock` is a monotonic one."""

    def __init__(self, get: Get, clock: Callable[[], float]) -> None:
        self._get = get
        self._clock = clock
        self._sets: dict[_Place, _Set] = {}
        self._readings: dict[_Place, asyncio.Task[_Set]] = {}

    async def read(self, inquiry: ReadKeys) -> ClientKeys | UnreadableKeys:
        """The keys at the URL, so new that the one that is asked for ought to be among them."""
        place = inquiry.url, inquiry.discovered, inquiry.bundle
        known = self._sets.get(place)
        if known is None or self._wants_reading(known, inquiry):
            known = await self._once(place)
        if known.keys is not None and self._clock() - known.read_at < _fresh(known.keys, inquiry.bundle) + STALE:
            return known.keys
        return UnreadableKeys(known.problem or "they were not read for too long")

    def _wants_reading(self, known: _Set, inquiry: ReadKeys) -> bool:
        now = self._clock()
        if now - known.tried_at < (COOL_DOWN if known.problem is None else _AFTER_FAILURE):
            return False
        if known.keys is None or now - known.read_at >= _fresh(known.keys, inquiry.bundle):
            return True
        if inquiry.certificate is not None:
            return inquiry.certificate not in known.keys.certificates
        return known.keys.find(inquiry.kid, inquiry.algorithm) is None

    async def _once(self, place: _Place) -> _Set:
        """Reads the set, together with all who want it now."""
        reading = self._readings.get(place)
        if reading is None:
            if len(self._readings) >= _MAXIMUM_READINGS:
                return self._sets.get(place) or _Set(None, 0, 0, "too many key sets are being read")
            reading = asyncio.get_running_loop().create_task(self._read(place))
            self._readings[place] = reading
            reading.add_done_callback(lambda _: self._readings.pop(place, None))
        return await asyncio.shield(reading)  # who began it may go: others wait

    async def _read(self, place: _Place) -> _Set:
        known = self._sets.pop(place, None)
        url, discovered, bundle = place
        try:
            token = own_token(url) if discovered else None
            if discovered:
                url = _key_set_url(await self._get(url.rstrip("/") + _METADATA, token))
            keys = read_client_keys(await self._get(url, token), use_required=False, bundle=bundle)
        except (Unreachable, ValueError) as error:
            problem = str(error)
            _LOGGER.warning("the keys at %r cannot be read: %s", _without_query(url), problem)
            now = self._clock()
            read = _Set(None, 0, now, problem) if known is None else _Set(known.keys, known.read_at, now, problem)
        else:
            now = self._clock()
            read = _Set(keys, now, now, None)
        while len(self._sets) >= MAXIMUM_SETS:
            self._sets.pop(next(iter(self._sets)))
        self._sets[place] = read
        return read


def _fresh(keys: ClientKeys, bundle: bool) -> float:
    """Seconds for which they need not be read again."""
    if not bundle:
        return FRESH
    hint = FRESH_BUNDLE if keys.refresh_hint is None else keys.refresh_hint
    return min(max(hint, COOL_DOWN), LONGEST_FRESH)


def _key_set_url(metadata: bytes) -> str:
    """``jwks_uri``. Raises ValueError."""
    try:
        document = json.loads(metadata)
    except RecursionError:
        raise ValueError("no JSON") from None
    url = document.get("jwks_uri") if isinstance(document, dict) else None
    if not isinstance(url, str):
        raise ValueError("the issuer's metadata names no key set")
    return url


def _without_query(url: str) -> str:
    split = urlsplit(url)
    return f"{split.scheme}://{split.hostname}{split.path}"
