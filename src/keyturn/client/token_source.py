"""Keeps a token: gets it, renews it ahead of its expiry, shares it."""

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from keyturn.client.authentication import Authentication, TlsClientAuth
from keyturn.client.dpop import DpopKey
from keyturn.client.errors import AuthorizationServerUnavailable, OAuthError, TokenError, UseDpopNonce
from keyturn.client.token import Token
from keyturn.client.token_request import client_credentials_request, process_token_response
from keyturn.resource_server.issuer import Answer, Http, IssuerError, check_url, discovery_url, endpoint
from keyturn.resource_server.single_flight import FlightLost, SingleFlight

__all__ = ["TokenSource"]

_log: Final = logging.getLogger("keyturn.client")

_RENEW_AFTER: Final = 0.75
_JITTER: Final = 0.1
"""Tokens are renewed after 65 % to 85 % of their lifetime, so that a fleet that started together does not renew
together.
"""

_TRAVEL_TIME: Final = 5.0
"""Seconds before its expiry in which a token is not used any more (of short-lived ones, a tenth): it has a way to go.
"""

_RETRY_AFTER: Final = 10.0
"""Seconds between attempts to renew a token that still serves."""


_DROP_INTERVAL: Final = 5.0
"""Seconds between dropped tokens: a service that refuses every token must not cost a token a call."""


@dataclass(frozen=True, slots=True)
class _Held:
    token: Token
    renew_at: float
    expires_at: float


class TokenSource:
    """The tokens of one client for one scope. For threads and event loops alike; make one and keep it.

    A token is got at its first use, and renewed ahead of its expiry by one caller in the background, while the others
    go on with the old one. Whoever needs a token when there is none shares one request with the others. While the
    authorization server is down or refuses, the old token serves until it expires.

    Does NOT notice that a token was revoked: ``drop`` it when a resource server answers 401 (``BearerAuth`` does).
    """

    def __init__(
        self,
        authentication: Authentication,
        *,
        issuer: str | None = None,
        token_endpoint: str | None = None,
        scope: str | None = None,
        parameters: Mapping[str, str] | None = None,
        dpop: DpopKey | None = None,
        mutual_tls: bool | None = None,
        dangerously_allow_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = 10,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Nothing is sent yet.

        Args:
            authentication: ``ClientSecretBasic(client_id, secret)`` or another method.
            issuer: a realm's URL, whose discovery document names the token endpoint; or else
            token_endpoint: its URL.
            scope: space-separated; None for the client's default scopes.
            parameters: more of them for every token request, renewals included.
            dpop: the key to bind the tokens to; put them on requests with ``DpopAuth`` then.
            mutual_tls: whether a certificate of `ssl_context` is to be shown, as ``TlsClientAuth`` and tokens that are
                bound to one want it: of an `issuer`, the token endpoint is then the one for that (RFC 8705 §5). By
                default, with ``TlsClientAuth``. Services are called with an HTTP client that shows it, too.
            dangerously_allow_http: send the secret over plain HTTP to another machine, readable for all in between.
            ssl_context: for an authorization server whose CA the system does not trust; or with a certificate to show.
            timeout: seconds for one answer.
            clock: a monotonic clock in seconds.
            jitter: numbers from 0 to 1.

        Raises:
            ValueError: both or none of `issuer` and `token_endpoint`, plain HTTP to another machine, or a certificate
                is to be shown and there is no `ssl_context` with one.
        """
        if (issuer is None) == (token_endpoint is None):
            raise ValueError("name the issuer or the token endpoint, one of the two")
        mutual_tls = isinstance(authentication, TlsClientAuth) if mutual_tls is None else mutual_tls
        if mutual_tls and ssl_context is None:
            raise ValueError("pass the ssl_context that shows the certificate")
        self._mutual_tls = mutual_tls
        self._allow_http = dangerously_allow_http
        check_url(issuer or token_endpoint or "", dangerously_allow_http=dangerously_allow_http)
        self._authentication = authentication
        self._issuer = issuer
        self._token_endpoint = token_endpoint
        self._scope = scope
        self._parameters = dict(parameters or {})
        self.dpop: Final = dpop
        self._http = Http(ssl_context, timeout)
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._retry_at = self._drop_at = float("-inf")
        self._flight: SingleFlight[Token] = SingleFlight(patience=3 * timeout)

    def token(self) -> Token:
        """A token that can be used now. Blocks only where there is none; NOT for a thread that runs an event loop.

        Raises:
            TokenError: there is none to be had; of the class that says why.
        """
        held, due = self._look()
        if held is None:
            try:
                return self._flight.run(self._get)
            except FlightLost:
                raise AuthorizationServerUnavailable("no answer in time") from None
        if due:
            threading.Thread(target=self._renew, name="keyturn-token", daemon=True).start()
        return held

    async def token_async(self) -> Token:
        """As ``token``, without blocking."""
        held, due = self._look()
        if held is None:
            try:
                return await self._flight.run_async(self._get_async)
            except FlightLost:
                raise AuthorizationServerUnavailable("no answer in time") from None
        if due:
            self._flight.start_async(self._get_async)
        return held

    def drop(self, token: Token) -> None:
        """Use `token` no more.

        Nothing happens if it is not the one that is held, so that a token is dropped once, nor within five seconds of
        the last time.
        """
        now = self._clock()
        with self._lock:
            if self._held is not None and self._held.token is token and now >= self._drop_at:
                self._held = None
                self._drop_at = now + _DROP_INTERVAL

    def _look(self) -> tuple[Token | None, bool]:
        """The token that serves now, and whether this caller must see to its renewal."""
        now = self._clock()
        with self._lock:
            held = self._held
            if held is None or now >= held.expires_at:
                return None, False
            due = now >= held.renew_at and now >= self._retry_at and not self._flight.under_way
            if due:
                self._retry_at = now + _RETRY_AFTER
            return held.token, due

    def _renew(self) -> None:
        try:
            self._flight.run(self._get)
        except (TokenError, FlightLost):
            return  # it was logged, and the old token serves

    def _get(self) -> Token:
        started = self._clock()
        if (token := self._fresh(started)) is not None:
            return token
        try:
            if self._token_endpoint is None:
                self._discovered(self._http.send(httpx.Request("GET", discovery_url(self._issuer or ""))))
            try:
                return self._hold(self._http.send(self._request()), started)
            except UseDpopNonce:
                return self._hold(self._http.send(self._request()), started)
        except (IssuerError, TokenError) as error:
            raise self._failed(error) from None

    async def _get_async(self) -> Token:
        started = self._clock()
        if (token := self._fresh(started)) is not None:
            return token
        try:
            if self._token_endpoint is None:
                self._discovered(await self._http.send_async(httpx.Request("GET", discovery_url(self._issuer or ""))))
            try:
                return self._hold(await self._http.send_async(self._request()), started)
            except UseDpopNonce:
                return self._hold(await self._http.send_async(self._request()), started)
        except (IssuerError, TokenError) as error:
            raise self._failed(error) from None

    def _fresh(self, now: float) -> Token | None:
        # For who was about to wait for a request that has just been answered, and so began one.
        with self._lock:
            return self._held.token if self._held is not None and now < self._held.renew_at else None

    def _discovered(self, answer: Answer) -> None:
        url = endpoint(answer, self._issuer or "", "token_endpoint", mutual_tls=self._mutual_tls)
        try:
            check_url(url, dangerously_allow_http=self._allow_http)
        except ValueError as error:
            raise IssuerError(str(error)) from None
        self._token_endpoint = url

    def _request(self) -> httpx.Request:
        request = client_credentials_request(
            self._token_endpoint or "",
            self._authentication,
            scope=self._scope,
            parameters=self._parameters,
            dpop=self.dpop,
        )
        return httpx.Request("POST", request.url, headers=dict(request.headers), content=request.body)

    def _hold(self, answer: Answer, started: float) -> Token:
        if self.dpop is not None:
            self.dpop.learn(self._token_endpoint or "", answer.headers.get("dpop-nonce"))
        token = process_token_response(answer.status, answer.body, bound=self.dpop is not None)
        margin = min(_TRAVEL_TIME, token.expires_in / 10)
        share = _RENEW_AFTER + _JITTER * (2 * self._jitter() - 1)
        with self._lock:
            self._held = _Held(token, started + token.expires_in * share, started + token.expires_in - margin)
            self._retry_at = float("-inf")
        return token

    def _failed(self, error: IssuerError | TokenError) -> TokenError:
        if not isinstance(error, OAuthError) and self._issuer is not None:
            self._token_endpoint = None  # it may have moved
        failure = AuthorizationServerUnavailable(str(error)) if isinstance(error, IssuerError) else error
        _log.warning("No new token for client %s: %s", self._authentication.client_id, failure)
        return failure
