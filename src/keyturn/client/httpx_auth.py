"""Puts tokens on the requests of an httpx client, synchronous or not."""

from collections.abc import AsyncGenerator, Generator

import httpx

from keyturn.client.dpop import DpopKey
from keyturn.client.token import Token
from keyturn.client.token_source import TokenSource

__all__ = ["BearerAuth", "DpopAuth"]


class BearerAuth(httpx.Auth):
    """``httpx.Client(auth=BearerAuth(source))``: a bearer token on every request (RFC 6750 §2.1).

    On a 401 the token is dropped and the request sent once more with a new one; not where its body was a stream, which
    is gone by then.

    Does NOT look where requests go: the token goes wherever the client sends them (httpx itself takes it off when a
    redirect leads elsewhere). Use a client of its own, with a ``base_url``, for each service or group of services that
    may have it.

    Raises:
        ValueError: the source's tokens are bound to a key: ``DpopAuth`` shows it.
    """

    def __init__(self, source: TokenSource) -> None:
        if source.dpop is not None:
            raise ValueError("tokens that are bound to a key need DpopAuth")
        self._source = source

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx's interface."""
        token = self._source.token()
        response = yield _bearing(request, token)
        if response.status_code == 401 and _can_be_sent_again(request):
            self._source.drop(token)
            if (renewed := self._source.token()) is not token:
                yield _bearing(request, renewed)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """httpx's interface."""
        token = await self._source.token_async()
        response = yield _bearing(request, token)
        if response.status_code == 401 and _can_be_sent_again(request):
            self._source.drop(token)
            if (renewed := await self._source.token_async()) is not token:
                yield _bearing(request, renewed)


class DpopAuth(httpx.Auth):
    """``httpx.Client(auth=DpopAuth(source))``: on every request the token and a proof of its key (RFC 9449 §7.1).

    On a 401 the request is sent once more, with the nonce that came with it (§9), or with a new token; not where its
    body was a stream, which is gone by then. As for ``BearerAuth``, the token goes wherever the client sends requests.

    Raises:
        ValueError: the source has no key.
    """

    def __init__(self, source: TokenSource) -> None:
        if source.dpop is None:
            raise ValueError("the source has no key to prove: pass it dpop=DpopKey.generate()")
        self._source = source
        self._key: DpopKey = source.dpop

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx's interface."""
        token = self._source.token()
        response = yield self._proving(request, token)
        asked = self._learn(request, response)
        if response.status_code == 401 and asked and _can_be_sent_again(request):
            response = yield self._proving(request, token)
            self._learn(request, response)
        elif response.status_code == 401 and _can_be_sent_again(request):
            self._source.drop(token)
            if (renewed := self._source.token()) is not token:
                self._learn(request, (yield self._proving(request, renewed)))

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """httpx's interface."""
        token = await self._source.token_async()
        response = yield self._proving(request, token)
        asked = self._learn(request, response)
        if response.status_code == 401 and asked and _can_be_sent_again(request):
            response = yield self._proving(request, token)
            self._learn(request, response)
        elif response.status_code == 401 and _can_be_sent_again(request):
            self._source.drop(token)
            if (renewed := await self._source.token_async()) is not token:
                self._learn(request, (yield self._proving(request, renewed)))

    def _proving(self, request: httpx.Request, token: Token) -> httpx.Request:
        request.headers["authorization"] = f"DPoP {token.access_token}"
        request.headers["dpop"] = self._key.proof(request.method, str(request.url), token.access_token)
        return request

    def _learn(self, request: httpx.Request, response: httpx.Response) -> bool:
        """Keeps the nonce that came with an answer; whether it is one that makes another attempt worth while."""
        return self._key.learn(str(request.url), response.headers.get("dpop-nonce"))


def _bearing(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers["authorization"] = f"Bearer {token.access_token}"
    return request


def _can_be_sent_again(request: httpx.Request) -> bool:
    return isinstance(request.stream, httpx.ByteStream)
