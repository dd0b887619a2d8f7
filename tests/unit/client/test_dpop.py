"""Getting tokens that are bound to a key, and showing it (RFC 9449)."""

import asyncio
from typing import Any

import httpx
import pytest

from keyturn.client import BearerAuth, DpopAuth, DpopKey, InvalidResponse, TokenSource
from keyturn.client.authentication import ClientSecretPost
from keyturn.jose import dpop
from keyturn.jose.jwk import generate, symmetric_key

NOW = 1_800_000_000
ENDPOINT = "https://as.test/token"


class Servers:
    """An authorization server and a service behind one transport, that may want nonces."""

    def __init__(self, key: DpopKey, *, nonce: str | None = None, token_type: str = "DPoP") -> None:
        self.key, self.nonce, self.token_type = key, nonce, token_type
        self.seen: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        token = request.headers.get("authorization", "").removeprefix("DPoP ") or None
        shown = dpop.read(request.headers["dpop"], request.method, url.partition("?")[0], now=NOW, access_token=token)
        assert shown.jkt == self.key.thumbprint
        assert shown.identity not in self.seen, "each proof is a new one"
        self.seen.append(shown.identity)
        headers = {} if self.nonce is None else {"dpop-nonce": self.nonce}
        if shown.nonce != self.nonce:
            status, body = (400, {"error": "use_dpop_nonce"}) if token is None else (401, {})
            return httpx.Response(status, json=body, headers=headers)
        if token is None:
            return httpx.Response(200, json={"access_token": "t", "token_type": self.token_type, "expires_in": 60})
        return httpx.Response(200)


@pytest.fixture
def key() -> DpopKey:
    return DpopKey.generate(clock=lambda: NOW)


def source(key: DpopKey, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> TokenSource:
    transport = httpx.MockTransport(servers.answer)
    made, made_async = httpx.Client, httpx.AsyncClient
    monkeypatch.setattr(httpx, "Client", lambda **_: made(transport=transport))
    monkeypatch.setattr(httpx, "AsyncClient", lambda **_: made_async(transport=transport))
    return TokenSource(ClientSecretPost("svc", "secret"), token_endpoint=ENDPOINT, dpop=key)


@pytest.mark.parametrize("nonce", [None, "n-1"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_shows_the_key_and_answers_with_the_nonce_that_is_asked_for(
    key: DpopKey, monkeypatch: pytest.MonkeyPatch, nonce: str | None, asynchronous: bool
) -> None:
    servers = Servers(key, nonce=nonce)
    auth = DpopAuth(source(key, servers, monkeypatch))

    async def call_async() -> list[httpx.Response]:
        async with httpx.AsyncClient() as client:
            return [await client.post("https://api.test/a?b=c", content=b"x", auth=auth) for _ in range(2)]

    if asynchronous:
        answers = asyncio.run(call_async())
    else:
        with httpx.Client() as client:
            answers = [client.post("https://api.test/a?b=c", content=b"x", auth=auth) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(servers.seen) == (3 if nonce is None else 5)


def test_takes_no_token_that_is_not_bound(key: DpopKey, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidResponse, match="not bound"):
        source(key, Servers(key, token_type="Bearer"), monkeypatch).token()


def test_shows_no_bound_token_as_a_bearer(key: DpopKey) -> None:
    bound = TokenSource(ClientSecretPost("svc", "secret"), token_endpoint=ENDPOINT, dpop=key)
    with pytest.raises(ValueError, match="DpopAuth"):
        BearerAuth(bound)
    plain = TokenSource(ClientSecretPost("svc", "secret"), token_endpoint=ENDPOINT)
    with pytest.raises(ValueError, match="no key"):
        DpopAuth(plain)


def test_nonces_are_kept_for_each_server(key: DpopKey) -> None:
    assert key.learn("https://a.test/x", "one")
    assert not key.learn("https://A.test/y", "one"), "asking again would be in vain"
    assert key.learn("https://b.test/", "two")
    nonces = [
        dpop.read(key.proof("GET", f"https://{host}.test/"), "GET", f"https://{host}.test/", now=NOW).nonce
        for host in "abc"
    ]
    assert nonces == ["one", "two", None]


def test_keys_are_key_pairs_and_do_not_show_in_logs() -> None:
    pem = generate("ES384", now=NOW).to_pem()
    key = DpopKey.from_pem(pem, "ES384")
    assert repr(key) == f"DpopKey({key.thumbprint})"
    with pytest.raises(ValueError, match="key pair"):
        DpopKey(symmetric_key(b"secret", algorithm="HS256", kid="x"))


def test_any_real_answer_serves_as_the_last_word(server: Any) -> None:
    # A server that knows no DPoP: the proof goes with the request all the same.
    with pytest.raises(InvalidResponse):
        server.source(dpop=DpopKey.generate()).token()
    assert server.headers[-1]["dpop"].count(".") == 2
