"""Serves the description of the server's own API: ``/admin/openapi.json``, and ``/openapi`` on the management port.

It asks for no token: it holds nothing of any realm, is the same on every server of one version, and tools want it
before they have a login. Keycloak answers 405 at the one path; the other is where its own ``openapi`` feature is.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final

from anyio import to_thread

from keyturn.http.body import Receive, Scope, Send
from keyturn.http.headers import complete

__all__ = ["MANAGEMENT_PATH", "PATH", "or_else", "serve"]

PATH: Final = "/admin/openapi.json"
MANAGEMENT_PATH: Final = "/openapi"
_METHODS: Final = frozenset({"GET", "HEAD"})
_HEADERS: Final = (
    (b"content-type", b"application/json;charset=UTF-8"),
    (b"cache-control", b"no-cache"),
    (b"access-control-allow-origin", b"*"),
)


def is_asked_for(scope: Scope, path: str = PATH) -> bool:
    """Whether a request is for the description at `path`."""
    return scope["path"] == path and scope["method"] in _METHODS


async def serve(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers with the document, made when it is first asked for."""
    document = await to_thread.run_sync(_document)
    headers = complete(_HEADERS, len(document))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else document})


def or_else(
    other: Callable[[Scope, Receive, Send], Awaitable[None]],
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Serves the document at ``/openapi``, and lets `other` serve everything else."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await (serve if is_asked_for(scope, MANAGEMENT_PATH) else other)(scope, receive, send)

    return handle


@cache
def _document() -> bytes:
    from keyturn.http.openapi_document import document  # most servers are never asked, and start without it
    from keyturn.representations import encode

    return encode(document())
