"""Tokens that are bound to a key, at a service (RFC 9449 §7)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from keyturn.client import DpopKey
from keyturn.jose import dpop
from keyturn.jose.jwk import PrivateKey, generate, thumbprint
from keyturn.resource_server import (
    BearerTokenMiddleware,
    DpopRequest,
    InvalidDpopProof,
    NoCredentials,
    ResourceServer,
    TooManyProofs,
    UseDpopNonce,
)
from keyturn.resource_server.asgi import Receive, Scope, Send

NOW = 1_000_000
URL = "https://api.test/orders"
KEY, OTHER = generate("ES256", now=NOW), generate("ES256", now=NOW)
JKT = thumbprint(KEY.public.jwk())


def bound(issuer: Any, **claims: Any) -> str:
    token: str = issuer.token(**{"typ": "DPoP", "cnf": {"jkt": JKT, "kc-jkt-type": "DPoP"}} | claims)
    return token


def proof(
    token: str | None,
    method: str = "GET",
    url: str = URL,
    key: PrivateKey = KEY,
    jti: str = "1",
    now: float = NOW,
    nonce: str | None = None,
) -> str:
    return dpop.make(key, method, url, now=now, jti=jti, access_token=token, nonce=nonce)


def accept(server: ResourceServer, token: str, proofs: Sequence[str], scheme: str = "DPoP") -> str:
    return server.accept(f"{scheme} {token}", dpop=DpopRequest("GET", URL, proofs)).client_id or ""


def refusal(server: ResourceServer, token: str, *proofs: str) -> str:
    with pytest.raises(InvalidDpopProof) as refused:
        accept(server, token, proofs)
    assert refused.value.challenge("r").startswith('DPoP realm="r", error="invalid_dpop_proof", error_description="')
    assert refused.value.challenge("r").endswith('algs="ES256 ES384 ES512 EdDSA PS256 PS384 PS512 RS256 RS384 RS512"')
    return refused.value.description


def test_lets_in_who_holds_the_key(issuer: Any) -> None:
    server, token = issuer.resource_server(), bound(issuer)
    assert accept(server, token, [proof(token)]) == "backend-service"
    rfc_9068 = bound(issuer, typ=None, header={"typ": "at+jwt"})
    assert accept(server, rfc_9068, [proof(rfc_9068, jti="2")]) == "backend-service"


def test_refuses_who_does_not(issuer: Any) -> None:
    server, token = issuer.resource_server(), bound(issuer)
    for shown, reason in (
        (proof(token, key=OTHER), "Token is bound to another key"),
        (proof(token, method="POST"), "DPoP HTTP method mismatch"),
        (proof(token, url="https://evil.test/orders"), "DPoP HTTP URL mismatch"),
        (proof(bound(issuer, sub="other")), "DPoP proof access token hash mismatch"),
        (proof(None), "DPoP proof access token hash is missing"),
        (proof(token, now=NOW - 25), "DPoP proof is not active"),
        (proof(token, now=NOW + 16), "DPoP proof is not active"),
    ):
        assert refusal(server, token, shown) == reason
    assert refusal(server, token) == "There must be one DPoP header"
    assert refusal(server, token, proof(token), proof(token, jti="2")) == "There must be one DPoP header"


def test_a_proof_counts_once_as_long_as_it_counts(issuer: Any) -> None:
    server, token = issuer.resource_server(), bound(issuer)
    shown = proof(token, now=NOW + 15)
    accept(server, token, [shown])
    for later in (0, 1, 20, 39):
        issuer.now = NOW + later
        assert refusal(server, token, shown) == "DPoP proof has already been used"
    issuer.now = NOW + 40
    assert refusal(server, token, shown) == "DPoP proof is not active"


def test_a_proof_counts_once_though_the_clock_is_set_back(issuer: Any) -> None:
    server, token = issuer.resource_server(), bound(issuer)
    shown = proof(token)
    accept(server, token, [shown])
    for earlier in (1, 10):
        issuer.now = NOW - earlier
        assert refusal(server, token, shown) == "DPoP proof has already been used"


def test_proofs_are_remembered_within_bounds(issuer: Any) -> None:
    server, token = issuer.resource_server(proofs_remembered=2), bound(issuer)
    for jti in ("1", "2"):
        accept(server, token, [proof(token, jti=jti)])
    with pytest.raises(TooManyProofs):
        accept(server, token, [proof(token, jti="3")])
    issuer.now += 80
    assert accept(server, token, [proof(token, jti="3", now=issuer.now)])


def test_plain_tokens_and_bound_ones_are_not_mixed_up(issuer: Any) -> None:
    server, token, plain = issuer.resource_server(), bound(issuer), issuer.token()
    for shown, scheme, description in (
        (token, "Bearer", "Token is bound to a key that was not shown"),
        (plain, "DPoP", "Not an access token that is bound to a key"),
        (issuer.token(cnf={"jkt": JKT}), "Bearer", "Token is bound to a key or certificate that was not shown"),
        (issuer.token(typ="DPoP"), "DPoP", "Token is bound to no key"),
        (bound(issuer, cnf={"jkt": JKT, "x5t#S256": "x"}), "DPoP", "Token is bound to no key"),
    ):
        with pytest.raises(Exception, match=description):
            accept(server, shown, [proof(shown)], scheme)
    assert accept(server, plain, [], "Bearer")


def test_a_service_may_want_every_token_bound(issuer: Any) -> None:
    server = issuer.resource_server(require_dpop=True)
    with pytest.raises(InvalidDpopProof, match="Tokens must be bound to a key"):
        accept(server, issuer.token(), [], "Bearer")
    with pytest.raises(NoCredentials) as refused:
        server.accept(None)
    assert refused.value.challenge("r").startswith('DPoP realm="r", algs=')
    token = bound(issuer)
    assert accept(server, token, [proof(token)])


@pytest.mark.parametrize("base_url", ["https://api.test/", None])
def test_the_middleware_holds_proofs_against_its_own_address(issuer: Any, base_url: str | None) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = BearerTokenMiddleware(application, issuer.resource_server(), base_url=base_url)
    token = bound(issuer)

    async def get(url: str, jti: str) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof(token, url=url.partition("?")[0], jti=jti)}
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get(url, headers=headers)

    answer = asyncio.run(get("https://api.test/a%20b?c=d", "1"))
    assert answer.status_code == (204 if base_url else 401)
    # Who has overheard a proof for another service chooses the Host header, and gets nothing by it.
    answer = asyncio.run(get("https://evil.test/a%20b", "2"))
    assert answer.status_code == 401


SECRET = b"a secret of the service's own"


def asked(server: ResourceServer, token: str, shown: str) -> str:
    """The nonce that is asked for."""
    with pytest.raises(UseDpopNonce) as refused:
        accept(server, token, [shown])
    assert refused.value.status == 401
    assert refused.value.challenge("r").startswith('DPoP realm="r", error="use_dpop_nonce", error_description="')
    return refused.value.nonce


def test_a_service_may_want_a_nonce(issuer: Any) -> None:
    """RFC 9449 §9; a second process with the same secret takes the nonces of the first."""
    servers = [issuer.resource_server(dpop_nonce_secret=SECRET) for _ in range(2)]
    token = bound(issuer)
    nonce = asked(servers[0], token, proof(token))
    assert asked(servers[1], token, proof(token, nonce="made up")) == nonce
    for number, server in enumerate(servers):
        good = proof(token, jti=str(number), nonce=nonce)
        shown = DpopRequest("GET", URL, [good])
        assert server.accept(f"DPoP {token}", dpop=shown).dpop_nonce is None
    assert refusal(servers[0], token, proof(token, jti="0", nonce=nonce)) == "DPoP proof has already been used"
    assert asked(issuer.resource_server(dpop_nonce_secret=b"another secret of another"), token, good) != nonce


def test_a_nonce_ends_and_the_next_one_comes_in_time(issuer: Any) -> None:
    server, token = issuer.resource_server(dpop_nonce_secret=SECRET), bound(issuer, exp=NOW + 1000)
    nonce = asked(server, token, proof(token))
    told = []
    for later in (150, 300):
        issuer.now = NOW + later
        shown = proof(token, jti=str(later), nonce=nonce, now=issuer.now)
        if later == 150:
            told.append(server.accept(f"DPoP {token}", dpop=DpopRequest("GET", URL, [shown])).dpop_nonce)
        else:
            told.append(asked(server, token, shown))
    assert None not in told
    assert len({nonce, *told}) == 3


def test_a_secret_for_nonces_cannot_be_guessed(issuer: Any) -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        issuer.resource_server(dpop_nonce_secret=b"short")


def test_a_client_of_ours_answers_the_nonce_of_a_service(issuer: Any) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = issuer.resource_server(dpop_nonce_secret=SECRET)
    app = BearerTokenMiddleware(application, server, base_url="https://api.test")
    token, key = bound(issuer), DpopKey(KEY, clock=lambda: issuer.now)

    async def get() -> httpx.Response:
        headers = {"Authorization": f"DPoP {token}", "DPoP": key.proof("GET", URL, token)}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.get(URL, headers=headers)

    first = asyncio.run(get())
    assert (first.status_code, first.json()["error"]) == (401, "use_dpop_nonce")
    assert key.learn(URL, first.headers["dpop-nonce"])
    assert asyncio.run(get()).status_code == 204
    issuer.now += 150
    again = asyncio.run(get())
    assert again.status_code == 204
    assert key.learn(URL, again.headers["dpop-nonce"])
    assert "dpop-nonce" not in asyncio.run(get()).headers
