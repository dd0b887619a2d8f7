"""Tokens that are bound to a key, at a service (RFC 9449 §7)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from keyturn.jose import dpop
from keyturn.jose.jwk import PrivateKey, generate, thumbprint
from keyturn.resource_server import (
    BearerTokenMiddleware,
    DpopRequest,
    InvalidDpopProof,
    NoCredentials,
    ResourceServer,
    TooManyProofs,
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
    token: str | None, method: str = "GET", url: str = URL, key: PrivateKey = KEY, jti: str = "1", now: float = NOW
) -> str:
    return dpop.make(key, method, url, now=now, jti=jti, access_token=token)


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
        (issuer.token(cnf={"jkt": JKT}), "Bearer", "Token is bound to a key that was not shown"),
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
