"""The application: which part serves a path. The token endpoint comes first and meets no router."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from keyturn.http import openapi
from keyturn.http import path as paths
from keyturn.http.admin_later import AdminLater
from keyturn.http.body import Disconnected, Message, Receive, Scope, Send
from keyturn.http.exchange import respond, respond_from_outside
from keyturn.http.health import HealthService
from keyturn.http.oauth2 import TokenService
from keyturn.http.realms import RealmService
from keyturn.http.request_id import CURRENT, HEADER, RequestId
from keyturn.http.services import Services
from keyturn.oauth2.http_message import json_response
from keyturn.store.spi import StoreError

App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOGGER: Final = logging.getLogger("keyturn.http")
_TOKEN_PATH: Final = re.compile(r"/realms/([^/]+)/protocol/openid-connect/token/?")
_NOT_FOUND: Final = json_response(404, {"error": "Unable to find matching target resource method"})
_UNAVAILABLE: Final = json_response(
    503, {"error": "temporarily_unavailable", "error_description": "The database cannot be used now."}
)
_UNKNOWN_ERROR: Final = json_response(
    500, {"error": "unknown_error", "error_description": "For more on this error consult the server log."}
)


def create_app(services: Services, health: HealthService, tokens: TokenService) -> App:
    """The ASGI application of one server."""
    realms, admin = RealmService(services), AdminLater(services)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes = scope["raw_path"]
        if paths.is_odd(raw):
            refusal = paths.refusal(raw)
            if refusal is not None:
                await respond_from_outside(send, refusal)
                return
            scope["path"] = paths.decoded(raw)
        path: str = scope["path"]
        token = _TOKEN_PATH.fullmatch(path)
        if token is not None and scope["method"] == "POST":
            await tokens.handle(scope, receive, send, token[1])
        elif path.startswith(("/realms/", "/.well-known/")):
            await realms.handle(scope, receive, send)
        elif openapi.is_asked_for(scope):
            await openapi.serve(scope, receive, send)
        elif path.startswith("/admin/") or path in ("/", "/admin"):
            await admin.handle(scope, receive, send)
        elif path.startswith("/health"):
            await health.handle(scope, receive, send)
        else:
            await respond_from_outside(send, _NOT_FOUND)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started, request_id = False, RequestId(scope["headers"])
        CURRENT.set(request_id)  # a request has a task of its own, and this is seen in no other

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (HEADER, request_id.name)]}
            await send(message)

        try:
            await serve(scope, receive, watched)
        except Disconnected:
            return
        except StoreError as error:
            _LOGGER.error("a request to %r failed: %s", scope["path"], error)
            if not started:
                await respond(watched, _UNAVAILABLE)
        except Exception:  # the last line of defence: whatever went wrong, the caller learns nothing of it
            # The path is shown as a repr, so that it cannot begin a line of its own; bodies and headers hold secrets.
            _LOGGER.exception("a request to %r failed", scope["path"])
            if not started:
                await respond(watched, _UNKNOWN_ERROR)

    return app
