"""What the edges of all endpoints share: a request as the protocol sees it, and how an answer is sent."""

from typing import Any, Final

from keyturn.http.body import Scope, Send
from keyturn.http.client_certificates import MTLS_PORT, ClientCertificates
from keyturn.http.headers import security
from keyturn.http.origin import Origin
from keyturn.oauth2.http_message import Headers, Request, Response, json_response

BAD_HOST: Final = json_response(400, {"error": "invalid_request", "error_description": "Invalid Host header"})
HTTPS_REQUIRED: Final = json_response(403, {"error": "invalid_request", "error_description": "HTTPS required"})
METHOD_NOT_ALLOWED: Final = json_response(405, {"error": "HTTP 405 Method Not Allowed"})
NO_REALM: Final = json_response(404, {"error": "Realm does not exist"})
TOO_LARGE: Final = json_response(413, {"error": "HTTP 413 Request Entity Too Large"})

_NOT_MODIFIED: Final = 304

TURNS: Final = 8
"""How often a request is put again after something was loaded; more means that somebody keeps changing it."""

_HEADERS: Final = frozenset({b"accept", b"authorization", b"content-type", b"dpop", b"if-none-match", b"origin"})


def request_of(scope: Scope, origin: Origin, body: bytes, certificates: ClientCertificates | None = None) -> Request:
    """The request of `scope`. Of a header that comes twice the first counts, but two proofs are none."""
    headers: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _HEADERS:
            if name not in headers:
                headers[name] = value.decode("latin-1")
            elif name == b"dpop":
                headers[name] += "," + value.decode("latin-1")
    return Request(
        base_url=origin.base_url,
        address=origin.address,
        content_type=headers.get(b"content-type", ""),
        authorization=headers.get(b"authorization"),
        body=body,
        query=scope.get("query_string", b""),
        accept=headers.get(b"accept", ""),
        origin=headers.get(b"origin"),
        method=scope.get("method", "POST"),
        raw_path=scope.get("raw_path", b""),
        dpop=headers.get(b"dpop"),
        if_none_match=headers.get(b"if-none-match"),
        certificate=None if certificates is None else certificates.of(scope),
        mtls_url=origin.mtls_url,
        by_mtls_url=MTLS_PORT in scope,
    )


async def respond(send: Send, response: Response, *, sent_content: bool = True) -> None:
    """Sends `response` with the security headers that belong to it."""
    await _send(send, response, security(response.headers, sent_content=sent_content))


async def respond_from_outside(send: Send, response: Response) -> None:
    """Sends `response` to a request that no endpoint has seen: such answers have no security headers in Keycloak."""
    await _send(send, response, ())


async def _send(send: Send, response: Response, more: Headers) -> None:
    headers = [*response.headers, *more]
    if response.status != _NOT_MODIFIED:  # its length would be that of what is not sent (RFC 9110 §8.6)
        headers.append((b"content-length", b"%d" % len(response.body)))
    start: dict[str, Any] = {"type": "http.response.start", "status": response.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.body})
