"""Request paths: one spelling each, so that what a proxy in front allows or forbids by path is what is served.

Source: Keycloak's path checks since 26.4 (``missingNormalization``, ``invalidCharacter``).
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from keyturn.oauth2.http_message import Response

_ODD: Final = re.compile(rb"%|;|//|/\.")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})?")
_SLASH: Final = re.compile(rb"%2f", re.IGNORECASE)
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DOTS: Final = frozenset({b".", b".."})

_JSON: Final = ((b"content-type", b"application/json; charset=UTF-8"),)
_NOT_NORMALIZED: Final = Response(
    400, _JSON, b'{"error":"missingNormalization","error_description":"Request path not normalized"}'
)
_SEMICOLON: Final = Response(
    400, _JSON, b'{"error":"invalidCharacter","error_description":"Request path contains invalid character \';\'"}'
)
_BROKEN: Final = Response(400)


def is_odd(raw: bytes) -> bool:
    """Whether there is anything in `raw` that `refusal` and `decoded` would look at."""
    return _ODD.search(raw) is not None


def refusal(raw: bytes) -> Response | None:
    """The answer to a path as it came that is not normal; None where it is."""
    if b";" in raw:
        return _SEMICOLON
    for escape in _ESCAPE.finditer(raw):
        if escape[1] is None:
            return _BROKEN
        if int(escape[1], 16) in _UNRESERVED:
            return _NOT_NORMALIZED
    segments = raw.split(b"/")
    return _NOT_NORMALIZED if b"//" in raw or not _DOTS.isdisjoint(segments) else None


def decoded(raw: bytes) -> str:
    """The text of a normal path. An escaped slash stays escaped: it separates nothing."""
    return unquote_to_bytes(_SLASH.sub(b"%252F", raw)).decode(errors="replace")
