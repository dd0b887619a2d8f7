"""Tokens on the requests of an httpx client."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from keyturn.client import BearerAuth, InvalidClient


def call(server: Any, asynchronous: bool, auth: BearerAuth, content: Any = b"body") -> httpx.Response:
    async def post() -> httpx.Response:
        async with httpx.AsyncClient(auth=auth) as client:
            return await client.post(f"{server.url}/service", content=content)

    if asynchronous:
        return asyncio.run(post())
    with httpx.Client(auth=auth) as client:
        return client.post(f"{server.url}/service", content=content)


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@both
def test_each_request_carries_the_token(server: Any, asynchronous: bool) -> None:
    auth = BearerAuth(server.source())
    assert call(server, asynchronous, auth).status_code == 200
    assert call(server, asynchronous, auth).status_code == 200
    assert server.calls == [("token-1", b"body")] * 2
    assert len(server.forms) == 1


@both
def test_after_a_401_the_request_is_sent_once_more_with_a_new_token(server: Any, asynchronous: bool) -> None:
    server.refused = {"token-1"}
    assert call(server, asynchronous, BearerAuth(server.source())).status_code == 200
    assert server.calls == [("token-1", b"body"), ("token-2", b"body")]


@both
def test_a_second_401_is_the_answer(server: Any, asynchronous: bool) -> None:
    server.refused = {"all"}
    auth = BearerAuth(server.source())
    assert call(server, asynchronous, auth).status_code == 401
    assert [token for token, _ in server.calls] == ["token-1", "token-2"]
    assert call(server, asynchronous, auth).status_code == 401
    assert [token for token, _ in server.calls] == ["token-1", "token-2", "token-2"], "no new token a call"


def test_a_streamed_request_is_not_sent_again(server: Any) -> None:
    server.refused = {"token-1"}

    def stream() -> Iterator[bytes]:
        yield b"body"

    assert call(server, False, BearerAuth(server.source()), stream()).status_code == 401
    assert len(server.calls) == 1


@both
def test_without_a_token_nothing_is_sent(server: Any, asynchronous: bool) -> None:
    server.answer = (401, {"error": "invalid_client"})
    with pytest.raises(InvalidClient):
        call(server, asynchronous, BearerAuth(server.source()))
    assert server.calls == []
