"""The whole of accepting a request: header, token, key, rules, requirement."""

import ssl
import time
from collections.abc import Callable, Collection, Sequence

from keyturn.jose import jwt
from keyturn.jose.jwk import PublicKey
from keyturn.resource_server.access_token import AccessToken
from keyturn.resource_server.bearer import bearer_token
from keyturn.resource_server.errors import InvalidToken
from keyturn.resource_server.issuer import Http, check_url
from keyturn.resource_server.issuer_keys import IssuerKeys
from keyturn.resource_server.key_set import KeyCache
from keyturn.resource_server.requirement import Requirement
from keyturn.resource_server.validator import ASYMMETRIC_ALGORITHMS, Validator

__all__ = ["ResourceServer"]


class ResourceServer:
    """Accepts one issuer's access tokens for one service. For threads and event loops alike; make one and keep it.

    See ``Validator`` for what is checked, and what is NOT. Nothing is fetched before the first token.
    """

    def __init__(
        self,
        issuer: str,
        audience: str | Collection[str] | None = None,
        *,
        clients: Collection[str] | None = None,
        algorithms: Collection[str] = ASYMMETRIC_ALGORITHMS,
        leeway: float = 10,
        dangerously_accept_any_audience: bool = False,
        dangerously_allow_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = 5,
        keys_fresh_for: float = 300,
        keys_stale_for: float = 86400,
        cool_down: float = 30,
        clock: Callable[[], float] = time.time,
        monotonic_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Pin the issuer and the rules (see ``Validator``), and how its keys are read.

        Args:
            issuer: a realm's URL, ``https://host/realms/name``; its keys are found through its discovery document.
            audience, clients, algorithms, leeway, dangerously_accept_any_audience: as for ``Validator``.
            dangerously_allow_http: read keys over plain HTTP from another machine: whoever is in between chooses the
            keys. ssl_context: for an issuer whose CA the system does not trust. timeout: seconds for one answer of the
            issuer. keys_fresh_for: seconds until the keys are read again. keys_stale_for: seconds for which they serve
            after that while the issuer does not answer. cool_down: seconds between two readings because of unknown keys
            or failures. clock, monotonic_clock: the time in seconds since the epoch, and for ages.

        Raises:
            ValueError: as for ``Validator``; the issuer is no URL, or plain HTTP to another machine.
        """
        check_url(issuer, dangerously_allow_http=dangerously_allow_http)
        self.validator = Validator(
            issuer,
            audience,
            clients=clients,
            algorithms=algorithms,
            leeway=leeway,
            dangerously_accept_any_audience=dangerously_accept_any_audience,
        )
        self._clock = clock
        cache = KeyCache(fresh_for=keys_fresh_for, stale_for=keys_stale_for, cool_down=cool_down)
        self._keys = IssuerKeys(issuer, Http(ssl_context, timeout), cache, monotonic_clock)

    def accept(self, authorization: str | Sequence[str] | None, requirement: Requirement | None = None) -> AccessToken:
        """The token in a request's ``Authorization`` header (all of them, if there are more), validated. May block for
        keys.

        Raises:
            Refused: one of its kinds, with the status and challenge to answer.
        """
        unverified = self._read(authorization)
        return self._accept(unverified, self._keys.find(unverified.kid, unverified.algorithm), requirement)

    async def accept_async(
        self, authorization: str | Sequence[str] | None, requirement: Requirement | None = None
    ) -> AccessToken:
        """As ``accept``, without blocking."""
        unverified = self._read(authorization)
        return self._accept(unverified, await self._keys.find_async(unverified.kid, unverified.algorithm), requirement)

    def _read(self, authorization: str | Sequence[str] | None) -> jwt.Unverified:
        values = [authorization] if isinstance(authorization, str) else authorization or ()
        return self.validator.read(bearer_token(values), self._clock())

    def _accept(
        self, unverified: jwt.Unverified, key: PublicKey | None, requirement: Requirement | None
    ) -> AccessToken:
        if key is None:
            raise InvalidToken("Token signed with an unknown key")
        token = self.validator.validate(unverified, key, self._clock())
        if requirement is not None:
            requirement.check(token)
        return token
