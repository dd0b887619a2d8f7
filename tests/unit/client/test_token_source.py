"""Tokens that are kept, renewed and shared."""

import asyncio
import logging
import ssl
import threading
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from keyturn.client import (
    AuthorizationServerUnavailable,
    ClientSecretBasic,
    InvalidClient,
    InvalidResponse,
    TlsClientAuth,
    TokenError,
    TokenSource,
)


def use(source: TokenSource, asynchronous: bool) -> str:
    token = asyncio.run(source.token_async()) if asynchronous else source.token()
    return token.access_token


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@both
def test_a_token_is_got_once_and_kept(server: Any, asynchronous: bool) -> None:
    source = server.source(scope="profile", parameters={"audience": "service"})
    assert server.discoveries == 0
    for _ in range(5):
        assert use(source, asynchronous) == "token-1"
    assert server.forms == [{"grant_type": ["client_credentials"], "scope": ["profile"], "audience": ["service"]}]
    assert b64decode(server.headers[0]["authorization"].split()[1]) == b"backend-service:s3cret-canary"


def test_the_token_endpoint_can_be_named_instead_of_the_issuer(server: Any) -> None:
    source = server.source(issuer=None, token_endpoint=f"{server.issuer}/token")
    assert source.token().access_token == "token-1"
    assert server.discoveries == 0


def renewed(server: Any, source: TokenSource, asynchronous: bool) -> str:
    """Use a token that is due, and wait until the renewal that this begins has been answered."""
    requests = len(server.forms)

    async def use_and_wait() -> str:
        token = (await source.token_async()).access_token
        await asyncio.gather(*[task for task in asyncio.all_tasks() if task is not asyncio.current_task()])
        return token

    if asynchronous:
        token = asyncio.run(use_and_wait())
    else:
        token = source.token().access_token
        for thread in threading.enumerate():
            if thread.name == "keyturn-token":
                thread.join()
    assert len(server.forms) == requests + 1
    return token


@both
def test_a_token_is_renewed_ahead_of_its_expiry_with_all_parameters(server: Any, asynchronous: bool) -> None:
    source = server.source(scope="profile", parameters={"audience": "service"})
    use(source, asynchronous)
    server.now += 224
    assert use(source, asynchronous) == "token-1"
    assert len(server.forms) == 1
    server.now += 1
    assert renewed(server, source, asynchronous) == "token-1"
    assert use(source, asynchronous) == "token-2"
    assert server.forms[0] == server.forms[1]
    assert server.discoveries == 1


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 195), (1.0, 255)])
def test_renewals_of_a_fleet_are_spread(server: Any, jitter: float, seconds: float) -> None:
    source = server.source(jitter=lambda: jitter)
    source.token()
    server.now += seconds - 1
    source.token()
    assert len(server.forms) == 1
    server.now += 1.5
    renewed(server, source, asynchronous=False)


@both
def test_nobody_waits_for_a_renewal(server: Any, asynchronous: bool) -> None:
    source = server.source()
    use(source, asynchronous=False)
    server.now += 250
    server.open.clear()

    async def use_twice() -> list[str]:
        tokens = [(await source.token_async()).access_token for _ in range(3)]
        server.open.set()
        return tokens

    tokens = asyncio.run(use_twice()) if asynchronous else [source.token().access_token for _ in range(3)]
    server.open.set()
    assert tokens == ["token-1"] * 3
    assert len(server.forms) <= 2


def test_an_expired_token_is_not_used_and_neither_is_one_that_expires_on_its_way(server: Any) -> None:
    source = server.source()
    source.token()
    server.now += 295
    assert source.token().access_token == "token-2"


def test_a_short_lived_token_is_used_for_most_of_its_life(server: Any) -> None:
    server.expires_in = 10
    source = server.source()
    source.token()
    server.now += 7.4
    assert source.token().access_token == "token-1"
    server.now += 1.7
    assert source.token().access_token == "token-2"


def test_threads_share_one_request(server: Any) -> None:
    source = server.source()
    server.open.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(source.token) for _ in range(8)]
        assert server.arrived.acquire(timeout=10)
        server.open.set()
        assert {future.result().access_token for future in waiting} == {"token-1"}
    assert len(server.forms) == 1


def test_tasks_and_threads_share_one_request(server: Any) -> None:
    source = server.source()
    server.open.clear()

    async def from_tasks() -> set[str]:
        tasks = [asyncio.create_task(source.token_async()) for _ in range(10)]
        threads = [asyncio.create_task(asyncio.to_thread(source.token)) for _ in range(3)]
        await asyncio.to_thread(server.arrived.acquire)
        server.open.set()
        return {token.access_token for token in await asyncio.gather(*tasks, *threads)}

    assert asyncio.run(from_tasks()) == {"token-1"}
    assert len(server.forms) == 1


def test_those_who_wait_share_a_failure_too(server: Any) -> None:
    server.answer = (401, {"error": "invalid_client"})
    source = server.source()

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*[source.token_async() for _ in range(5)], return_exceptions=True)

    assert [type(outcome) for outcome in asyncio.run(all_at_once())] == [InvalidClient] * 5
    assert len(server.forms) == 1


def test_a_cancelled_caller_does_not_take_the_request_from_the_others(server: Any) -> None:
    source = server.source()
    server.open.clear()

    async def cancel_the_first() -> str:
        first = asyncio.create_task(source.token_async())
        await asyncio.to_thread(server.arrived.acquire)
        second = asyncio.create_task(source.token_async())
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        server.open.set()
        token: str = (await second).access_token
        return token

    assert asyncio.run(cancel_the_first()) == "token-1"
    assert len(server.forms) == 1


@both
@pytest.mark.parametrize("answer", [(503, b""), (401, {"error": "unauthorized_client"}), (200, b"<html>")])
def test_the_old_token_serves_until_it_expires_while_there_is_no_new_one(
    server: Any, asynchronous: bool, answer: tuple[int, Any]
) -> None:
    source = server.source()
    use(source, asynchronous)
    server.answer = answer
    server.now += 250
    assert renewed(server, source, asynchronous) == "token-1"
    assert use(source, asynchronous) == "token-1"
    assert len(server.forms) == 2, "not tried again at once"
    server.now += 10
    assert renewed(server, source, asynchronous) == "token-1"
    server.now += 35
    with pytest.raises(TokenError):
        use(source, asynchronous)
    server.answer = None
    assert use(source, asynchronous).startswith("token-")


@both
def test_nobody_listening_is_an_unavailable_server(asynchronous: bool) -> None:
    source = TokenSource(ClientSecretBasic("a", "b"), issuer="http://127.0.0.1:9/realms/r")
    with pytest.raises(AuthorizationServerUnavailable, match="ConnectError"):
        use(source, asynchronous)


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "https://attacker.example"}, {"token_endpoint": None}, {"token_endpoint": "http://attacker.example/"}],
)
def test_the_secret_does_not_go_where_another_issuers_metadata_points(server: Any, discovery: dict[str, Any]) -> None:
    server.discovery = discovery
    with pytest.raises(AuthorizationServerUnavailable):
        server.source().token()
    assert server.forms == []


def test_a_redirect_is_not_followed(server: Any) -> None:
    server.answer = (307, b"")
    with pytest.raises(InvalidResponse):
        server.source().token()
    assert len(server.forms) == 1


def test_a_dropped_token_is_replaced(server: Any) -> None:
    source = server.source()
    first = source.token()
    source.drop(first)
    second = source.token()
    assert second.access_token == "token-2"
    source.drop(first)
    assert source.token() is second, "who drops an old token does not take the new one from the others"


def test_tokens_are_not_dropped_one_after_the_other(server: Any) -> None:
    source = server.source()
    source.drop(source.token())
    second = source.token()
    source.drop(second)
    assert source.token() is second
    server.now += 5
    source.drop(second)
    assert source.token().access_token == "token-3"


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"issuer": "https://as/realms/r", "token_endpoint": "https://as/token"},
        {"issuer": "http://as.example/realms/r"},
        {"token_endpoint": "http://as.example/token"},
    ],
)
def test_the_authorization_server_is_reached_safely_or_not_at_all(where: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"name the issuer or|must be https"):
        TokenSource(ClientSecretBasic("a", "b"), **where)


def test_the_secret_and_the_tokens_are_in_no_log(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source = server.source()
    source.token()
    server.answer = (401, {"error": "invalid_client", "error_description": "no"})
    server.now += 300
    with pytest.raises(InvalidClient):
        source.token()
    assert "No new token for client backend-service: invalid_client: no" in caplog.text
    assert "canary" not in caplog.text
    assert "token-1" not in caplog.text


def test_who_shows_a_certificate_asks_where_certificates_are_shown(server: Any) -> None:
    server.discovery = {"mtls_endpoint_aliases": {"token_endpoint": f"{server.issuer}/token"}, "token_endpoint": "x"}
    authentication, context = TlsClientAuth("backend-service"), ssl.create_default_context()
    source = TokenSource(authentication, issuer=server.issuer, ssl_context=context)
    assert source.token().access_token == "token-1"
    assert server.forms == [{"grant_type": ["client_credentials"], "client_id": ["backend-service"]}]
    with pytest.raises(ValueError, match="pass the ssl_context that shows the certificate"):
        TokenSource(authentication, issuer=server.issuer)
