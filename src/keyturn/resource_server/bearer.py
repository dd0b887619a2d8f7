"""The ``Authorization`` header (RFC 6750 §2.1, RFC 9449 §7.1). Tokens in query or body (§2.2, §2.3) do not count."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from keyturn.resource_server.errors import InvalidRequest, NoCredentials

__all__ = ["Credentials", "access_token"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, and whether it came with the scheme ``DPoP``."""

    token: str = field(repr=False)
    dpop: bool


def access_token(authorization: Sequence[str]) -> Credentials:
    """The token in the values of the request's ``Authorization`` headers.

    Raises:
        NoCredentials: there is no header, or one of another scheme.
        InvalidRequest: several headers, or what follows the scheme is no token.
    """
    if len(authorization) > 1:
        raise InvalidRequest("More than one Authorization header")
    scheme, _, rest = authorization[0].strip().partition(" ") if authorization else ("", "", "")
    if scheme.lower() not in ("bearer", "dpop"):
        raise NoCredentials
    token = rest.strip(" ")
    if not _TOKEN.fullmatch(token):
        raise InvalidRequest("Malformed access token")
    return Credentials(token, scheme.lower() == "dpop")
