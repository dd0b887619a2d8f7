"""Puts tokens on the requests of an httpx client, synchronous or not."""

from collections.abc import AsyncGenerator, Generator

import httpx

from keyturn.client.token import Token
from keyturn.client.token_source import TokenSource

__all__ = ["BearerAuth"]


class BearerAuth(httpx.Auth):
    """``httpx.Client(auth=BearerAuth(source))``: a bearer token on every request (RFC 6750 §2.1).

    On a 401 the token is dropped and the request sent once more with a new one; not where its body was a stream, which
    is gone by then.

    Does NOT look where requests go: the token goes wherever the client sends them (httpx itself takes it off when a
    redirect leads elsewhere). Use a client of its own, with a ``base_url``, for each service or group of services that
    may have it.
    """

    def __init__(self, source: TokenSource) -> None:
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


def _bearing(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers["authorization"] = f"Bearer {token.access_token}"
    return request


def _can_be_sent_again(request: httpx.Request) -> bool:
    return isinstance(request.stream, httpx.ByteStream)
