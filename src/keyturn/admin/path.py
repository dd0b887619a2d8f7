"""The path of a request as segments; what is not normal is refused as Keycloak refuses it."""

import re
from typing import Final
from urllib.parse import unquote

from keyturn.admin.errors import HttpError, OAuthError

__all__ = ["segments_of"]

_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def segments_of(path: str) -> tuple[str, ...]:
    """The decoded segments of a raw path, a trailing slash ignored.

    Raises:
        AdminError: ``;``, an empty segment, dot segments, an escape of a character that needs none (RFC 3986 §6.2.2),
            or a broken escape or encoding.
    """
    if ";" in path:
        raise OAuthError(400, "invalidCharacter", "Request path contains invalid character ';'")
    raw = path.removeprefix("/").removesuffix("/").split("/")
    if "" in raw or any(segment in {".", ".."} for segment in raw) or any(map(_escaped_in_vain, raw)):
        raise OAuthError(400, "missingNormalization", "Request path not normalized")
    try:
        return tuple(unquote(segment, errors="strict") for segment in raw)
    except UnicodeDecodeError:
        raise HttpError(400) from None


def _escaped_in_vain(segment: str) -> bool:
    for match in _ESCAPE.finditer(segment):
        if match.group(1) is None:
            raise HttpError(400)
        if chr(int(match.group(1), 16)) in _UNRESERVED:
            return True
    return False
