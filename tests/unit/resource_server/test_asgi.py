"""The middleware, under a real client (RFC 6750 §2.1, §3)."""

import asyncio
from typing import Any

import httpx
import pytest

from keyturn.resource_server import AccessToken, BearerTokenMiddleware, require
from keyturn.resource_server.asgi import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    token: AccessToken = scope["keyturn"]
    assert scope["state"]["keyturn"] is token
    if scope["path"] == "/late":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] in ("/admin", "/late"):
        require(realm_role="admin", scope="write").check(token)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": (token.client_id or "").encode()})


def ask(issuer: Any, *authorization: str, path: str = "/", **options: Any) -> httpx.Response:
    app = BearerTokenMiddleware(application, issuer.resource_server(), **options)

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return await client.get(
                path, headers=[(b"Authorization", value.encode("latin-1")) for value in authorization]
            )

    return asyncio.run(get())


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", " Bearer ", "Bearer  "])
def test_a_good_token_is_let_in(issuer: Any, scheme: str) -> None:
    answer = ask(issuer, f"{scheme} {issuer.token()}", requirement=require(realm_role="backend-access"))
    assert (answer.status_code, answer.text) == (200, "backend-service")


@pytest.mark.parametrize("authorization", [[], ["Basic YTpi"], [""], ["Bearertoken"], ["DPoP x"]])
def test_without_a_token_the_challenge_carries_no_error(issuer: Any, authorization: list[str]) -> None:
    answer = ask(issuer, *authorization, realm="my service")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="my service"'
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "authorization", [["Bearer"], ["Bearer a b"], ["Bearer a,b"], ["Bearer é"], ["Bearer a", "Bearer b"]]
)
def test_malformed_credentials_are_an_invalid_request(issuer: Any, authorization: list[str]) -> None:
    answer = ask(issuer, *authorization)
    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_a_bad_token_is_an_invalid_token(issuer: Any) -> None:
    answer = ask(issuer, f"Bearer {issuer.token(aud='other')}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="protected", error="invalid_token", error_description="Token for another audience"'
    )
    assert answer.json() == {"error": "invalid_token", "error_description": "Token for another audience"}


def test_a_missing_role_is_insufficient_scope(issuer: Any) -> None:
    answer = ask(issuer, f"Bearer {issuer.token()}", requirement=require(scope=["write", "admin"]))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="protected", error="insufficient_scope", error_description="Needs scope admin, scope write", '
        'scope="admin write"'
    )


def test_a_requirement_that_a_route_checks_is_answered_the_same(issuer: Any) -> None:
    answer = ask(issuer, f"Bearer {issuer.token()}", path="/admin")
    assert answer.status_code == 403
    assert 'scope="write"' in answer.headers["www-authenticate"]


def test_a_requirement_checked_after_the_answer_began_is_the_routes_mistake(issuer: Any) -> None:
    with pytest.raises(Exception, match="Needs realm role admin"):
        ask(issuer, f"Bearer {issuer.token()}", path="/late")


def test_an_issuer_that_is_down_is_not_the_callers_fault(issuer: Any) -> None:
    issuer.status = 500
    answer = ask(issuer, f"Bearer {issuer.token()}")
    assert answer.status_code == 503
    assert "www-authenticate" not in answer.headers


def test_names_that_do_not_belong_into_a_header_cannot_break_out_of_it(issuer: Any) -> None:
    answer = ask(issuer, f"Bearer {issuer.token()}", requirement=require(realm_role='a"b\r\nSet-Cookie: x=ü'))
    assert answer.headers["www-authenticate"].endswith('error_description="Needs realm role a?b??Set-Cookie: x=?"')
    assert "set-cookie" not in answer.headers


def test_a_token_in_the_query_is_not_looked_for(issuer: Any) -> None:
    assert ask(issuer, path=f"/?access_token={issuer.token()}").status_code == 401


def test_websockets_are_protected_and_the_lifespan_is_not(issuer: Any) -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    app = BearerTokenMiddleware(inner, issuer.resource_server())
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    good = [(b"Authorization", f"Bearer {issuer.token()}".encode())]
    asyncio.run(app({"type": "websocket", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "unauthorized"}]
    asyncio.run(app({"type": "websocket", "headers": good}, receive, send))
    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert seen == ["websocket", "lifespan"]
