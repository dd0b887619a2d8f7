"""The ``Authorization`` header of RFC 6750 §2.1. Tokens in the query or body (§2.2, §2.3) are not looked for."""

import re
from collections.abc import Sequence
from typing import Final

from keyturn.resource_server.errors import InvalidRequest, NoCredentials

__all__ = ["bearer_token"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)


def bearer_token(authorization: Sequence[str]) -> str:
    """The token in the values of the request's ``Authorization`` headers.

    Raises:
        NoCredentials: there is no header, or one of another scheme.
        InvalidRequest: several headers, or what follows ``Bearer`` is no token.
    """
    if len(authorization) > 1:
        raise InvalidRequest("More than one Authorization header")
    scheme, _, rest = authorization[0].strip().partition(" ") if authorization else ("", "", "")
    if scheme.lower() != "bearer":
        raise NoCredentials
    token = rest.strip(" ")
    if not _TOKEN.fullmatch(token):
        raise InvalidRequest("Malformed bearer token")
    return token
