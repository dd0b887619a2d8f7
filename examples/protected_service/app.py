"""The application: plain ASGI, so that nothing hides what is done. In a framework, the same two steps are

app.add_middleware(BearerTokenMiddleware, resource_server=resource_server, requirement=require(realm_role="..."))
request.state.keyturn       # the token, in a route
"""

import json
from typing import Any

from keyturn.resource_server import AccessToken, BearerTokenMiddleware, ResourceServer, require
from keyturn.resource_server.asgi import Application, Receive, Scope, Send

__all__ = ["application"]


def application(resource_server: ResourceServer) -> Application:
    """The whole service: one protected part, and a public one beside it."""
    needed = require(realm_role="backend-access")
    protected = BearerTokenMiddleware(greet, resource_server, requirement=needed, realm="protected-service")

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["path"] == "/health":
            await answer(send, {"status": "UP"})
        else:
            await protected(scope, receive, send)

    return service


async def greet(scope: Scope, receive: Receive, send: Send) -> None:
    """What is protected. The middleware has put the token where it belongs; nobody gets here without one."""
    token: AccessToken = scope["keyturn"]
    await answer(send, {"message": f"Hello, {token.client_id}!", "realm_roles": sorted(token.realm_roles)})


async def answer(send: Send, document: dict[str, Any]) -> None:
    """Answer 200 with `document`."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


async def lifespan(receive: Receive, send: Send) -> None:
    """Nothing to start or stop."""
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
