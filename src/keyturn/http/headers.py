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

PREFLIGHT_SECURITY: Final[Headers] = tuple(header for header in SECURITY if header[0] != b"x-frame-options")
"""The answer to a preflight has no content that could be framed."""


def complete(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """`headers` with the security headers and the length."""
    return [*headers, *SECURITY, (b"content-length", b"%d" % length)]
