"""The whole of accepting a request: header, token, key, rules, requirement."""

import ssl
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from keyturn.jose import jwt
from keyturn.jose.jwk import PublicKey
from keyturn.resource_server.access_token import AccessToken
from keyturn.resource_server.bearer import Credentials, access_token
from keyturn.resource_server.errors import InvalidDpopProof, InvalidToken, NoCredentials, Refused
from keyturn.resource_server.issuer import Http, check_url
from keyturn.resource_server.issuer_keys import IssuerKeys
from keyturn.resource_server.key_set import KeyCache
from keyturn.resource_server.possession import DpopRequest, Nonces, UsedProofs, check_possession, is_certificate_of
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
        require_dpop: bool = False,
        require_certificate: bool = False,
        proofs_remembered: int = 100_000,
        dpop_nonce_secret: bytes | None = None,
        clock: Callable[[], float] = time.time,
        monotonic_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Pin the issuer and the rules (see ``Validator``), and how its keys are read.

        Args:
            issuer: a realm's URL, ``https://host/realms/name``; its keys are found through its discovery document.
            audience, clients, algorithms, leeway, dangerously_accept_any_audience: as for ``Validator``.
            dangerously_allow_http: read keys over plain HTTP from another machine: whoever is in between chooses the
            keys. ssl_context: for an issuer whose CA the system does not trust. timeout: seconds for one answer of the
            issuer. keys_fresh_for: seconds until the keys are read again, or sooner where the issuer's ``max-age`` says
            so. keys_stale_for: seconds for which they serve after that while the issuer does not answer. cool_down:
            seconds between two readings because of unknown keys or failures. require_dpop: refuse tokens that are bound
            to no key (RFC 9449). require_certificate: refuse tokens that are bound to no certificate (RFC 8705).
            proofs_remembered: how many proofs of the last minute are known; beyond that, requests with one are refused.
            dpop_nonce_secret: proofs need a nonce (RFC 9449 §9), which all processes with this secret of 16 bytes or
            more make alike. clock, monotonic_clock: the time in seconds since the epoch, and for ages.

        Raises:
            ValueError: as for ``Validator``; the issuer is no URL, or plain HTTP to another machine; a secret that is
            too short.
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
        self._require_dpop = require_dpop
        self._require_certificate = require_certificate
        self._used = UsedProofs(proofs_remembered)
        self._nonces = None if dpop_nonce_secret is None else Nonces(dpop_nonce_secret)
        self._algorithms = frozenset(algorithms)
        cache = KeyCache(fresh_for=keys_fresh_for, stale_for=keys_stale_for, cool_down=cool_down)
        self._keys = IssuerKeys(issuer, Http(ssl_context, timeout), cache, monotonic_clock)

    def accept(
        self,
        authorization: str | Sequence[str] | None,
        requirement: Requirement | None = None,
        *,
        dpop: DpopRequest | None = None,
        certificate: str | None = None,
    ) -> AccessToken:
        """The token in a request's ``Authorization`` header (all of them, if there are more), validated. May block for
        keys.

        `dpop` is what a proof of the token's key is held against; without it, tokens that are bound to one are refused.
        `certificate` is the thumbprint of the one that the caller has shown (``thumbprint_of``).

        Raises:
            Refused: one of its kinds, with the status and challenge to answer.
        """
        with self._challenging(authorization, dpop) as credentials:
            unverified = self._read(credentials, certificate)
            key = self._keys.find(unverified.kid, unverified.algorithm)
            return self._accept(credentials, unverified, key, requirement, dpop, certificate)

    async def accept_async(
        self,
        authorization: str | Sequence[str] | None,
        requirement: Requirement | None = None,
        *,
        dpop: DpopRequest | None = None,
        certificate: str | None = None,
    ) -> AccessToken:
        """As ``accept``, without blocking."""
        with self._challenging(authorization, dpop) as credentials:
            unverified = self._read(credentials, certificate)
            key = await self._keys.find_async(unverified.kid, unverified.algorithm)
            return self._accept(credentials, unverified, key, requirement, dpop, certificate)

    @contextmanager
    def _challenging(
        self, authorization: str | Sequence[str] | None, shown: DpopRequest | None
    ) -> Iterator[Credentials]:
        """The credentials; what is raised within challenges for the scheme that they came with, or should come with."""
        scheme = "DPoP" if self._require_dpop else "Bearer"
        try:
            credentials = access_token([authorization] if isinstance(authorization, str) else authorization or ())
            if credentials.dpop and shown is None:
                raise NoCredentials
            scheme = "DPoP" if credentials.dpop else scheme
            if self._require_dpop and not credentials.dpop:
                raise InvalidDpopProof("Tokens must be bound to a key")
            yield credentials
        except Refused as refused:
            refused.scheme = scheme
            raise

    def _read(self, credentials: Credentials, certificate: str | None) -> jwt.Unverified:
        unverified = self.validator.read(
            credentials.token, self._clock(), dpop=credentials.dpop, certificate=certificate
        )
        if self._require_certificate and not is_certificate_of(unverified.claims.get("cnf"), certificate):
            raise InvalidToken("Tokens must be bound to a certificate")
        return unverified

    def _accept(
        self,
        credentials: Credentials,
        unverified: jwt.Unverified,
        key: PublicKey | None,
        requirement: Requirement | None,
        shown: DpopRequest | None,
        certificate: str | None,
    ) -> AccessToken:
        if key is None:
            raise InvalidToken("Token signed with an unknown key")
        now = self._clock()
        token = self.validator.validate(unverified, key, now, dpop=credentials.dpop, certificate=certificate)
        if shown is not None and credentials.dpop:
            nonce = check_possession(token, credentials.token, shown, self._used, now, self._algorithms, self._nonces)
            token = replace(token, dpop_nonce=nonce)
        if requirement is not None:
            requirement.check(token)
        return token
