"""The headers that every answer has."""

from collections.abc import Iterable
from typing import Final

from keyturn.oauth2.http_message import Headers

SECURITY: Final[Headers] = (
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-robots-tag", b"none"),
)
"""Keycloak's ``DefaultSecurityHeadersProvider`` for everything that is no page."""

UNFRAMED_SECURITY: Final[Headers] = tuple(header for header in SECURITY if header[0] != b"x-frame-options")
"""Those of an answer that nothing could show in a frame, as that to a preflight."""

_FRAMED: Final = (b"application/json", b"text/html")


def complete(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """`headers` with the security headers and the length."""
    return [*headers, *SECURITY, (b"content-length", b"%d" % length)]


def security(headers: Iterable[tuple[bytes, bytes]], *, sent_content: bool) -> Headers:
    """The security headers of an answer with `headers` to a request with or without content.

    Source: Keycloak ``DefaultSecurityHeadersProvider``, which looks at the answer's media type, else the request's.
    """
    framed = sent_content or any(name == b"content-type" and value.startswith(_FRAMED) for name, value in headers)
    return SECURITY if framed else UNFRAMED_SECURITY
