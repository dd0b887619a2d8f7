"""Tokens that are bound to a certificate, at a service (RFC 8705 §3)."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from harness.certificates import certificate, envoy, haproxy, nginx, pem, rfc9440
from keyturn.resource_server import (
    BearerTokenMiddleware,
    CertificateOf,
    InvalidToken,
    from_proxy,
    from_tls,
    thumbprint_of,
)
from keyturn.resource_server.asgi import Receive, Scope, Send

OWN, OTHER = certificate(), certificate("other")
OWNS = thumbprint_of(pem(OWN))


def bound(issuer: Any, **claims: Any) -> str:
    token: str = issuer.token(**{"cnf": {"x5t#S256": OWNS}} | claims)
    return token


def test_lets_in_who_shows_the_certificate(issuer: Any) -> None:
    server, token = issuer.resource_server(), bound(issuer)
    assert server.accept(f"Bearer {token}", certificate=OWNS).client_id == "backend-service"
    assert asyncio.run(server.accept_async(f"Bearer {token}", certificate=OWNS)).client_id == "backend-service"
    assert server.accept(f"Bearer {issuer.token()}", certificate=OWNS).client_id == "backend-service"


@pytest.mark.parametrize("shown", [None, thumbprint_of(pem(OTHER)), ""], ids=["none", "another's", "nonsense"])
@pytest.mark.parametrize(
    "cnf",
    [{"x5t#S256": OWNS}, {"x5t#S256": OWNS, "jkt": "key"}, {"x5t#S256": None}, {}, "x"],
    ids=["its", "with a key", "without a name", "empty", "a text"],
)
def test_refuses_who_does_not(issuer: Any, shown: str | None, cnf: Any) -> None:
    with pytest.raises(InvalidToken, match="bound to a key or certificate that was not shown"):
        issuer.resource_server().accept(f"Bearer {bound(issuer, cnf=cnf)}", certificate=shown)


def test_a_service_may_demand_bound_tokens(issuer: Any) -> None:
    server = issuer.resource_server(require_certificate=True)
    assert server.accept(f"Bearer {bound(issuer)}", certificate=OWNS).client_id == "backend-service"
    with pytest.raises(InvalidToken, match="Tokens must be bound to a certificate"):
        server.accept(f"Bearer {issuer.token()}", certificate=OWNS)


def status(
    issuer: Any, certificate_of: CertificateOf | None, headers: Mapping[str, str], peer: str, tls: Any = None
) -> int:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    protected = BearerTokenMiddleware(app, issuer.resource_server(), certificate_of=certificate_of)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await protected({**scope, "extensions": {} if tls is None else {"tls": tls}}, receive, send)

    async def call() -> int:
        transport = httpx.ASGITransport(served, client=(peer, 40000))
        async with httpx.AsyncClient(transport=transport) as client:
            sent = {"authorization": f"Bearer {bound(issuer)}", **headers}
            return (await client.get("https://api.test/", headers=sent)).status_code

    return asyncio.run(call())


def test_a_server_that_ends_tls_itself_tells_of_the_certificate(issuer: Any) -> None:
    def told(shown: Any, **more: Any) -> int:
        return status(issuer, from_tls, {}, "192.0.2.7", {"client_cert_chain": [pem(shown)], **more})

    assert told(OWN) == 204
    assert told(OTHER) == 401
    assert told(OWN, client_cert_error="self-signed") == 401
    assert status(issuer, from_tls, {}, "192.0.2.7", {"client_cert_chain": []}) == 401
    assert status(issuer, from_tls, {}, "192.0.2.7") == 401
    assert status(issuer, None, {}, "192.0.2.7", {"client_cert_chain": [pem(OWN)]}) == 401


@pytest.mark.parametrize(
    ("kind", "header"),
    [("rfc9440", rfc9440), ("nginx", nginx), ("haproxy", haproxy), ("envoy", envoy)],
    ids=["rfc9440", "nginx", "haproxy", "envoy"],
)
def test_a_proxy_that_ends_tls_tells_of_the_certificate_and_nobody_else(issuer: Any, kind: Any, header: Any) -> None:
    believed = from_proxy(kind, ["10.0.0.0/24"])
    assert status(issuer, believed, header(OWN), "10.0.0.1") == 204
    assert status(issuer, believed, header(OWN), "::ffff:10.0.0.1") == 204
    assert status(issuer, believed, header(OTHER), "10.0.0.1") == 401
    assert status(issuer, believed, header(OWN), "10.0.1.1") == 401
    assert status(issuer, believed, header(OWN), "nowhere") == 401
    assert status(issuer, believed, {}, "10.0.0.1") == 401


def test_proxies_must_be_named() -> None:
    with pytest.raises(ValueError, match="name the proxies' addresses"):
        from_proxy("rfc9440", [])
