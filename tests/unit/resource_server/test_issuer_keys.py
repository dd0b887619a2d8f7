"""When the issuer's keys are read, and what happens while they cannot be."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from keyturn.jose import base64url, jwt
from keyturn.jose.jwk import generate
from keyturn.resource_server import InvalidToken, IssuerUnavailable, ResourceServer
from keyturn.resource_server.key_set import max_age_of

NEW = generate("RS256", now=time.time())
UNKNOWN = generate("ES256", now=time.time())


def accept(server: ResourceServer, token: str) -> None:
    assert server.accept(f"Bearer {token}").client_id == "backend-service"


def test_keys_are_read_once_and_kept(issuer: Any) -> None:
    server = issuer.resource_server()
    assert issuer.asked == []
    for _ in range(5):
        accept(server, issuer.token())
    assert issuer.asked == ["/realms/r/.well-known/openid-configuration", "/realms/r/certs"]


def test_a_new_key_is_read_when_a_token_names_it(issuer: Any) -> None:
    server = issuer.resource_server()
    accept(server, issuer.token())
    issuer.keys.append(NEW)
    issuer.now += 31
    accept(server, issuer.token(NEW))
    assert issuer.readings == 2


def test_keys_are_kept_no_longer_than_the_issuer_allows(issuer: Any) -> None:
    """So that the next key is there before it signs, however near its turn the keys were read."""
    server = issuer.resource_server()
    issuer.cache_control = "public, max-age=5"
    accept(server, issuer.token())
    issuer.keys.append(NEW)
    issuer.now += 4
    with pytest.raises(InvalidToken, match="unknown key"):
        server.accept(f"Bearer {issuer.token(NEW)}")
    issuer.now += 1
    accept(server, issuer.token(NEW))
    assert issuer.readings == 2


def test_keys_that_were_to_be_kept_shortly_are_not_asked_for_again_and_again_while_that_fails(issuer: Any) -> None:
    server = issuer.resource_server()
    issuer.cache_control = 'max-age="0"'
    accept(server, issuer.token())
    accept(server, issuer.token())
    assert issuer.readings == 1, "a second is the least"
    issuer.status = 503
    for _ in range(20):
        issuer.now += 1.4
        accept(server, issuer.token())
        if issuer.readings == 1:  # it is read in the background
            issuer.arrived.acquire(timeout=10)
    assert issuer.readings == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"cache-control": "no-cache"}, None),
        ({"cache-control": "no-cache", "etag": '"a"'}, 0),
        ({"cache-control": "Public, Max-Age=60", "etag": '"a"'}, 60),
        ({"cache-control": "s-maxage=5,max-age=7"}, 7),
        ({"cache-control": "x-max-age=5"}, None),
        ({"cache-control": "max-age=-1"}, None),
    ],
)
def test_how_long_keys_may_be_kept(headers: dict[str, str], seconds: int | None) -> None:
    assert max_age_of(headers) == seconds


def test_what_the_issuer_allows_does_not_make_them_last_longer(issuer: Any) -> None:
    server = issuer.resource_server()
    issuer.cache_control = "max-age=86400"
    accept(server, issuer.token())
    issuer.keys.append(NEW)
    issuer.now += 601
    accept(server, issuer.token())
    assert issuer.readings == 2


def test_unknown_keys_do_not_flood_the_issuer(issuer: Any) -> None:
    server = issuer.resource_server()
    for number in range(50):
        with pytest.raises(InvalidToken, match="unknown key"):
            server.accept(f"Bearer {issuer.token(UNKNOWN, header={'kid': f'made-up-{number}'})}")
        issuer.now += 1
    assert issuer.readings == 2, "at the start, and once after the cool-down"
    accept(server, issuer.token())


def test_known_keys_serve_while_others_ask_for_unknown_ones(issuer: Any) -> None:
    server = issuer.resource_server()
    accept(server, issuer.token())
    issuer.now += 31
    issuer.open.clear()
    issuer.arrived = threading.Semaphore(0)
    with ThreadPoolExecutor() as pool:
        unknown = pool.submit(server.accept, f"Bearer {issuer.token(UNKNOWN)}")
        assert issuer.arrived.acquire(timeout=10)
        accept(server, issuer.token())
        issuer.open.set()
        with pytest.raises(InvalidToken, match="unknown key"):
            unknown.result()


def test_threads_share_one_reading(issuer: Any) -> None:
    server = issuer.resource_server()
    issuer.open.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(server.accept, f"Bearer {issuer.token()}") for _ in range(8)]
        assert issuer.arrived.acquire(timeout=10)
        issuer.open.set()
        assert all(future.result().client_id == "backend-service" for future in waiting)
    assert issuer.readings == 1


def test_tasks_share_one_reading(issuer: Any) -> None:
    server = issuer.resource_server()

    async def all_at_once() -> None:
        await asyncio.gather(*[server.accept_async(f"Bearer {issuer.token()}") for _ in range(20)])

    asyncio.run(all_at_once())
    assert issuer.readings == 1


def test_a_cancelled_caller_does_not_take_the_reading_from_the_others(issuer: Any) -> None:
    server = issuer.resource_server()
    issuer.open.clear()

    async def cancel_the_first() -> None:
        first = asyncio.create_task(server.accept_async(f"Bearer {issuer.token()}"))
        await asyncio.to_thread(issuer.arrived.acquire)
        second = asyncio.create_task(server.accept_async(f"Bearer {issuer.token()}"))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        issuer.open.set()
        assert (await second).client_id == "backend-service"

    asyncio.run(cancel_the_first())
    assert issuer.readings == 1


def test_event_loops_that_come_and_go_share_the_keys(issuer: Any) -> None:
    server = issuer.resource_server()
    for _ in range(3):
        asyncio.run(server.accept_async(f"Bearer {issuer.token()}"))
    accept(server, issuer.token())
    assert issuer.readings == 1


@pytest.mark.parametrize("asynchronous", [False, True])
def test_keys_past_their_time_serve_at_once_and_are_renewed_in_the_background(issuer: Any, asynchronous: bool) -> None:
    server = issuer.resource_server()
    accept(server, issuer.token())
    issuer.now += 301
    issuer.open.clear()
    issuer.arrived = threading.Semaphore(0)

    async def both() -> None:
        await server.accept_async(f"Bearer {issuer.token()}")
        await asyncio.to_thread(issuer.arrived.acquire)
        issuer.open.set()

    if asynchronous:
        asyncio.run(both())
    else:
        accept(server, issuer.token())
        assert issuer.arrived.acquire(timeout=10)
        issuer.open.set()
    assert len(issuer.asked) == 3


def test_keys_serve_on_while_the_issuer_is_down(issuer: Any) -> None:
    server = issuer.resource_server(keys_stale_for=3600)
    accept(server, issuer.token())
    issuer.status = 503
    issuer.now += 3000
    accept(server, issuer.token())
    assert issuer.readings == 2


def test_stale_keys_serve_no_longer_than_they_may(issuer: Any) -> None:
    server = issuer.resource_server(keys_stale_for=3600)
    accept(server, issuer.token())
    issuer.status = 503
    issuer.now += 3901
    with pytest.raises(IssuerUnavailable):
        server.accept(f"Bearer {issuer.token()}")
    issuer.status = 200
    issuer.now += 31
    accept(server, issuer.token())


def test_a_key_that_the_issuer_took_away_serves_no_more(issuer: Any) -> None:
    server = issuer.resource_server()
    accept(server, issuer.token())
    issuer.keys[:] = [NEW]
    issuer.now += 601  # long past its time: what is read is waited for
    with pytest.raises(InvalidToken, match="unknown key"):
        server.accept(f"Bearer {issuer.token()}")


def test_without_keys_an_issuer_that_is_down_is_told_apart_from_a_bad_token_and_not_asked_again_at_once(
    issuer: Any,
) -> None:
    server = issuer.resource_server()
    issuer.status = 500
    for _ in range(5):
        with pytest.raises(IssuerUnavailable):
            server.accept(f"Bearer {issuer.token()}")
    assert len(issuer.asked) == 1
    issuer.status = 200
    issuer.now += 31
    accept(server, issuer.token())


def test_nobody_listening_is_an_unavailable_issuer() -> None:
    server = ResourceServer("http://127.0.0.1:9/realms/r", "service", clock=lambda: 0)
    token = jwt.encode(
        {"alg": "ES256", "kid": UNKNOWN.kid},
        b'{"iss":"http://127.0.0.1:9/realms/r","aud":"service","typ":"Bearer","exp":1}',
        UNKNOWN,
    )
    with pytest.raises(IssuerUnavailable):
        server.accept(f"Bearer {token.decode()}")
    with pytest.raises(IssuerUnavailable):
        asyncio.run(server.accept_async(f"Bearer {token.decode()}"))


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "https://attacker.example"}, {"jwks_uri": None}, {"jwks_uri": 7}, {"jwks_uri": "http://[/"}],
)
def test_metadata_of_another_issuer_or_without_keys_is_not_used(issuer: Any, discovery: dict[str, Any]) -> None:
    issuer.discovery = discovery
    with pytest.raises(IssuerUnavailable):
        issuer.resource_server().accept(f"Bearer {issuer.token()}")


@pytest.mark.parametrize("jwks", [b"", b"[]", b"{}", b'{"keys":{}}', b"[" * 100_000, b" " * 1_100_000])
def test_what_is_no_key_set_is_not_used(issuer: Any, jwks: bytes) -> None:
    issuer.jwks = jwks
    with pytest.raises(IssuerUnavailable):
        issuer.resource_server().accept(f"Bearer {issuer.token()}")


def test_keys_that_are_unknown_or_broken_are_left_out(issuer: Any) -> None:
    keys = [{}, {"kty": "new"}, 7, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, issuer.keys[0].public.jwk()]
    issuer.jwks = json.dumps({"keys": keys}).encode()
    accept(issuer.resource_server(), issuer.token())


def test_keys_for_encryption_do_not_verify(issuer: Any) -> None:
    issuer.jwks = json.dumps({"keys": [issuer.keys[0].public.jwk() | {"use": "enc"}]}).encode()
    with pytest.raises(InvalidToken, match="unknown key"):
        issuer.resource_server().accept(f"Bearer {issuer.token()}")


def test_a_token_without_a_key_id_is_accepted_where_only_one_key_fits(issuer: Any) -> None:
    def without_kid(server: ResourceServer) -> None:
        claims = base64url.decode(issuer.token().split(".")[1])
        server.accept(f"Bearer {jwt.encode({'alg': 'ES256'}, claims, issuer.keys[0]).decode()}")

    issuer.keys.append(NEW)
    without_kid(issuer.resource_server())
    issuer.keys.append(UNKNOWN)
    with pytest.raises(InvalidToken, match="unknown key"):
        without_kid(issuer.resource_server())
