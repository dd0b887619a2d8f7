"""The admin API's edge: bytes in, bytes out; the work is done in a worker thread."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import parse_qsl

from anyio import to_thread

from keyturn.admin.api import AdminApi
from keyturn.admin.authentication import Shown, verified
from keyturn.admin.errors import Unauthorized
from keyturn.admin.http_message import AdminRequest, AdminResponse
from keyturn.http.body import MAXIMUM_DOCUMENT, MAXIMUM_FORM, BodyTooLarge, Receive, Scope, Send, read_body
from keyturn.http.client_certificates import MTLS_PORT
from keyturn.http.console import console_page
from keyturn.http.exchange import BAD_HOST, TOO_LARGE, respond
from keyturn.http.headers import security
from keyturn.http.origin import BadHost, Origin
from keyturn.http.services import Services
from keyturn.jose.client_certificate import ClientCertificate
from keyturn.oauth2.http_message import json_response

_REDIRECTS: Final = {"/": "/admin/", "/admin": "/admin/master/console/", "/admin/": "/admin/master/console/"}
_LARGE_AT_ONCE: Final = 4
"""Documents over ``MAXIMUM_FORM`` that are in memory at the same time."""
HEADERS: Final = frozenset(
    {b"authorization", b"dpop", b"content-type", b"accept", b"origin", b"access-control-request-method"}
)
"""What the admin API looks at."""


class AdminService:
    """Serves ``/admin`` and what leads there."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._large: Final = asyncio.Semaphore(_LARGE_AT_ONCE)
        self.api: Final = AdminApi(
            services.store, services.registry, services.clock, flush_events=services.flush_events
        )

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises Disconnected."""
        try:
            origin = self._services.forwarding.origin(scope)
        except BadHost:
            await respond(send, BAD_HOST)
            return
        target = _REDIRECTS.get(scope["path"])
        if target is not None:
            location = ("location", origin.base_url + target)
            await send_answer(send, scope["method"], AdminResponse(302, (location,)), sent_content=False)
            return
        if scope["path"].endswith(("/console", "/console/")):
            asked = scope["method"], scope["path"], origin.base_url, self._services.registry
            page = await to_thread.run_sync(console_page, *asked)
            if page is not None:
                await send_answer(send, scope["method"], page, sent_content=False)
                return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name in HEADERS
        }
        path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
        certificate = certificate_of(scope, self._services)
        url = (_mtls_url(scope, origin) or origin.base_url) + path
        shown = Shown(headers.get("authorization"), headers.get("dpop"), scope["method"], url, certificate)
        async with AsyncExitStack() as stack:

            async def admit() -> None:
                # Whoever has no token fills no memory, and whoever has one only so much of it.
                now = self._services.clock()
                await to_thread.run_sync(verified, shown, origin.base_url, self._services.registry, now)
                await stack.enter_async_context(self._large)

            try:
                body = await read_body(receive, MAXIMUM_DOCUMENT, free=MAXIMUM_FORM, admit=admit)
            except BodyTooLarge:
                await respond(send, TOO_LARGE)
                return
            except Unauthorized as error:
                await respond(send, json_response(error.status, error.document))
                return
            await self._answer(scope, send, origin, headers, body)

    async def _answer(self, scope: Scope, send: Send, origin: Origin, headers: dict[str, str], body: bytes) -> None:
        request = admin_request(scope, origin, headers, body, certificate_of(scope, self._services))
        response = await to_thread.run_sync(self.api.handle, request)
        await send_answer(send, scope["method"], response, sent_content="content-type" in headers)


def certificate_of(scope: Scope, services: Services) -> ClientCertificate | None:
    """The caller's certificate, if it has shown one."""
    return None if services.certificates is None else services.certificates.of(scope)


def _mtls_url(scope: Scope, origin: Origin) -> str | None:
    return origin.mtls_url if MTLS_PORT in scope else None


def admin_request(
    scope: Scope, origin: Origin, headers: dict[str, str], body: bytes, certificate: ClientCertificate | None
) -> AdminRequest:
    """The request of `scope`, with those of its `headers` that count."""
    return AdminRequest(
        method=scope["method"],
        path=scope["raw_path"].partition(b"?")[0].decode("latin-1"),
        query=tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers=headers,
        body=body,
        base_url=origin.base_url,
        address=origin.address,
        certificate=certificate,
        mtls_url=_mtls_url(scope, origin),
    )


async def send_answer(send: Send, method: str, response: AdminResponse, *, sent_content: bool) -> None:
    """Sends `response` with the security headers that belong to it."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.secured:
        headers += security(headers, sent_content=sent_content)
    if response.status != 204:
        headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
