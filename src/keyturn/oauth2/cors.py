"""Cross-origin requests (the Fetch standard's CORS protocol), as Keycloak's ``Cors`` answers them."""

from typing import Final

from keyturn.model.client import Client
from keyturn.oauth2.http_message import Headers, Request, Response, json_response

EXPOSED: Final = b"Access-Control-Allow-Methods"
_ALLOWED_HEADERS: Final = (
    b"Origin, Accept, Access-Control-Request-Method, X-Requested-With, Access-Control-Request-Headers, DPoP, "
    b"Content-Type, Authorization"
)
_MAXIMUM_AGE: Final = b"3600"
_ANY: Final = "*"


class InvalidOrigin(Exception):
    """A page of this origin may not use the client: answer ``INVALID_ORIGIN``."""


INVALID_ORIGIN: Final[Response] = json_response(403, {"error": "Invalid origin"})


def foreign_origin(http: Request) -> str | None:
    """The origin of the page that asks; None for a request of no page or of one of this server."""
    if http.origin is None or http.origin == _origin_of(http.base_url):
        return None
    return http.origin


def check(http: Request, client: Client) -> None:
    """Refuses pages whose origin is none of the client's ``webOrigins``. Raises InvalidOrigin."""
    origin = foreign_origin(http)
    if origin is not None and origin not in client.web_origins and _ANY not in client.web_origins:
        raise InvalidOrigin(origin)


def headers(http: Request, *, exposed: bytes | None = EXPOSED) -> Headers:
    """What lets the asking page read the answer. Does NOT check the origin: `check` does, where a client is known."""
    origin = foreign_origin(http)
    if origin is None:
        return ()
    allowed = (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
    )
    return allowed if exposed is None else (*allowed, (b"access-control-expose-headers", exposed))


def preflight(http: Request, methods: str) -> Headers:
    """The answer to ``OPTIONS``: any origin may ask for `methods`; whether it may have the answer is checked then."""
    granted = headers(http, exposed=None)
    if not granted:
        return ()
    return (
        *granted,
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-allow-headers", _ALLOWED_HEADERS),
        (b"access-control-max-age", _MAXIMUM_AGE),
    )


def _origin_of(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
