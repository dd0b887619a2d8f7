"""Protects an ASGI application, whatever its framework."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import quote

from keyturn.resource_server.client_certificate import CertificateOf
from keyturn.resource_server.errors import IssuerUnavailable, Refused, TooManyProofs, UseDpopNonce
from keyturn.resource_server.possession import DpopRequest
from keyturn.resource_server.requirement import Requirement
from keyturn.resource_server.resource_server import ResourceServer

__all__ = ["BearerTokenMiddleware"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class BearerTokenMiddleware:
    """Lets requests with a valid access token through to `app`, and answers the others as RFC 6750 §3 says.

    The token is in ``scope["keyturn"]`` and in ``scope["state"]["keyturn"]`` (``request.state.keyturn`` in Starlette
    and FastAPI). `requirement` counts for every request; for single routes, call ``Requirement.check`` with the token:
    what it raises is answered here. Every HTTP and WebSocket request is protected: leave out what is public by mounting
    it outside.

    `base_url` is where callers reach `app`, as ``https://api.example.com``: proofs of tokens that are bound to a key
    are held against it. Without it, such tokens are refused. `certificate_of` finds the caller's certificate, for
    tokens that are bound to one: ``from_tls`` or ``from_proxy(…)``.
    """

    def __init__(
        self,
        app: Application,
        resource_server: ResourceServer,
        *,
        requirement: Requirement | None = None,
        realm: str = "protected",
        base_url: str | None = None,
        certificate_of: CertificateOf | None = None,
    ) -> None:
        self._app = app
        self._resource_server = resource_server
        self._requirement = requirement
        self._realm = realm
        self._certificate_of = certificate_of
        self._base_url = None if base_url is None else base_url.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = False
        nonce: str | None = None

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            if nonce is not None and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"dpop-nonce", nonce.encode())]}
            await send(message)

        try:
            authorization = [v.decode("latin-1") for name, v in scope["headers"] if name.lower() == b"authorization"]
            certificate = None if self._certificate_of is None else self._certificate_of(scope)
            token = await self._resource_server.accept_async(
                authorization, self._requirement, dpop=self._dpop_request(scope), certificate=certificate
            )
            nonce = token.dpop_nonce
            state = {**scope.get("state", {}), "keyturn": token}
            await self._app({**scope, "keyturn": token, "state": state}, receive, sending)
        except Refused as refused:
            if started:
                raise
            await self._refuse(refused, scope, send)

    def _dpop_request(self, scope: Scope) -> DpopRequest | None:
        if self._base_url is None:
            return None
        path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        proofs = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"dpop"]
        url = self._base_url + path.partition(b"?")[0].decode("latin-1")
        return DpopRequest(scope.get("method", "GET"), url, proofs)

    async def _refuse(self, refused: Refused, scope: Scope, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refused.code or "unauthorized"})
            return
        error = {"error": refused.code, "error_description": refused.description}
        body = json.dumps({name: value for name, value in error.items() if value}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if not isinstance(refused, IssuerUnavailable | TooManyProofs):
            headers.append((b"www-authenticate", refused.challenge(self._realm).encode()))
        if isinstance(refused, UseDpopNonce):
            headers.append((b"dpop-nonce", refused.nonce.encode()))
        await send({"type": "http.response.start", "status": refused.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
