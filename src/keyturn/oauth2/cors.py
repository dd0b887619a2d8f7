"""Cross-origin requests (the Fetch standard's CORS protocol), as Keycloak's ``Cors`` answers them."""

from dataclasses import replace
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


INVALID_ORIGIN: Final[Response] = json_response(403, {"error": "Invalid origin"})


class InvalidOrigin(Exception):
    """A page of this origin may not use the client: answer `response`."""

    def __init__(self, origin: str, headers: Headers = ()) -> None:
        super().__init__(origin)
        self.response = replace(INVALID_ORIGIN, headers=(*headers, *INVALID_ORIGIN.headers))


def foreign_origin(http: Request) -> str | None:
    """The origin of the page that asks; None for a request of no page or of one of this server."""
    if http.origin is None or http.origin == _origin_of(http.base_url):
        return None
    return http.origin


def check(http: Request, client: Client, refused_with: Headers = ()) -> None:
    """Refuses pages whose origin is none of the client's ``webOrigins``. Raises InvalidOrigin."""
    origin = foreign_origin(http)
    if origin is not None and origin not in client.web_origins and _ANY not in client.web_origins:
        raise InvalidOrigin(origin, refused_with)


def headers(http: Request, *, exposed: bytes | None = EXPOSED) -> Headers:
    """What lets the asking page read the answer. Does NOT check the origin: `check` does, where a client is known."""
    origin = foreign_origin(http)
    if origin is None:
        return ()
    allowed = _readable_by(origin)
    return allowed if exposed is None else (*allowed, (b"access-control-expose-headers", exposed))


def preflight(http: Request, methods: str) -> Headers:
    """The answer to ``OPTIONS``: any origin may ask for `methods`; whether it may have the answer is checked then."""
    if http.origin is None:
        return ()
    return (
        *_readable_by(http.origin),
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-allow-headers", _ALLOWED_HEADERS),
        (b"access-control-max-age", _MAXIMUM_AGE),
    )


def _readable_by(origin: str) -> Headers:
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
    )


def _origin_of(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
