"""The issuer's keys, read over HTTP when the cache asks for it."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import httpx

from keyturn.jose.jwk import PublicKey
from keyturn.resource_server.errors import IssuerUnavailable
from keyturn.resource_server.issuer import Answer, Http, IssuerError, discovery_url, endpoint, json_object
from keyturn.resource_server.key_set import KeyCache, max_age_of, read_key_set
from keyturn.resource_server.single_flight import FlightLost, SingleFlight

__all__ = ["IssuerKeys"]

_log: Final = logging.getLogger("keyturn.resource_server")


class IssuerKeys:
    """Finds the issuer's key for a token, from threads and from event loops, with one reading of the key set at a time.

    A key that is known is never waited for unless it is long past its time.
    """

    def __init__(self, issuer: str, http: Http, cache: KeyCache, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._http = http
        self._cache = cache
        self._clock = clock
        self._flight: SingleFlight[None] = SingleFlight(patience=3 * http.timeout)
        self._jwks_uri: str | None = None

    def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key, None where the issuer has none like that. Blocks while keys are read that are needed for this.

        Raises:
            IssuerUnavailable: there are no keys that could serve, and the issuer does not answer.
        """
        if self._needs_reading(kid, algorithm):

            def read() -> None:
                self._read(kid, algorithm)

            if self._cache.serves_meanwhile(kid, algorithm, self._clock()):
                threading.Thread(target=self._flight.run, args=(read,), name="keyturn-keys", daemon=True).start()
            else:
                with suppress(FlightLost):
                    self._flight.run(read)
        return self._found(kid, algorithm)

    async def find_async(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """As ``find``, without blocking."""
        if self._needs_reading(kid, algorithm):

            async def read() -> None:
                await self._read_async(kid, algorithm)

            if self._cache.serves_meanwhile(kid, algorithm, self._clock()):
                self._flight.start_async(read)
            else:
                with suppress(FlightLost):
                    await self._flight.run_async(read)
        return self._found(kid, algorithm)

    def _needs_reading(self, kid: str | None, algorithm: str) -> bool:
        now = self._clock()
        if self._flight.under_way:
            return not self._cache.serves(kid, algorithm, now)  # then wait for it
        return self._cache.wants_reading(kid, algorithm, now)

    def _found(self, kid: str | None, algorithm: str) -> PublicKey | None:
        if not self._cache.usable(self._clock()):
            raise IssuerUnavailable("The issuer's keys are not available")
        return self._cache.keys.find(kid, algorithm)

    def _begin(self, kid: str | None, algorithm: str) -> bool:
        # Asked again here, where only one can be: who was about to wait for a reading that has just ended begins none.
        now = self._clock()
        if not self._cache.wants_reading(kid, algorithm, now):
            return False
        self._cache.begins(now)
        return True

    def _read(self, kid: str | None, algorithm: str) -> None:
        if not self._begin(kid, algorithm):
            return
        try:
            if self._jwks_uri is None:
                self._discovered(self._http.send(httpx.Request("GET", discovery_url(self._issuer))))
            self._take(self._http.send(httpx.Request("GET", self._jwks_uri or "")))
        except IssuerError as error:
            self._failed(error)

    async def _read_async(self, kid: str | None, algorithm: str) -> None:
        if not self._begin(kid, algorithm):
            return
        try:
            if self._jwks_uri is None:
                self._discovered(await self._http.send_async(httpx.Request("GET", discovery_url(self._issuer))))
            self._take(await self._http.send_async(httpx.Request("GET", self._jwks_uri or "")))
        except IssuerError as error:
            self._failed(error)

    def _discovered(self, answer: Answer) -> None:
        self._jwks_uri = endpoint(answer, self._issuer, "jwks_uri")

    def _take(self, answer: Answer) -> None:
        uri = self._jwks_uri or ""
        try:
            keys = read_key_set(json_object(answer, uri))
        except ValueError as error:
            raise IssuerError(f"{uri}: {error}") from None
        self._cache.has_read(keys, self._clock(), max_age_of(answer.headers))

    def _failed(self, error: IssuerError) -> None:
        self._jwks_uri = None  # the keys may have moved
        _log.warning("The issuer's keys could not be read: %s", error)
