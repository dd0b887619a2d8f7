"""The registration providers below a realm's ``clients-registrations``, and which requests each of them takes.

Source: Keycloak ``ClientRegistrationService``; asked of Keycloak.
"""

from dataclasses import dataclass
from typing import Final

from keyturn.admin.errors import HttpError, NotFound

__all__ = ["DEFAULT", "INSTALL", "OPENID_CONNECT", "SAML", "Route", "route_of"]

DEFAULT: Final = "default"
OPENID_CONNECT: Final = "openid-connect"
INSTALL: Final = "install"
SAML: Final = "saml2-entity-descriptor"

_OF_A_CLIENT: Final = frozenset({"GET", "PUT", "DELETE"})
_METHODS: Final = {
    DEFAULT: _OF_A_CLIENT | {"POST"},
    OPENID_CONNECT: _OF_A_CLIENT | {"POST"},
    INSTALL: frozenset({"GET"}),
    SAML: frozenset({"POST"}),
}


@dataclass(frozen=True, slots=True)
class Route:
    """A request's provider, method (``GET`` for ``HEAD``) and client; `client_id` is None where a client is made."""

    provider: str
    method: str
    client_id: str | None

    @property
    def allow(self) -> str:
        """The methods of the provider, for ``OPTIONS``."""
        methods = _METHODS[self.provider] | {"OPTIONS"}
        return ", ".join(sorted(methods | {"HEAD"}))


def route_of(method: str, segments: tuple[str, ...]) -> Route:
    """Where a request to `segments`, decoded and below ``clients-registrations``, goes. Raises HttpError."""
    if not segments:
        raise HttpError(405)
    provider, *rest = segments
    if provider not in _METHODS:
        raise NotFound("Client registration provider not found")
    wanted = "GET" if method == "HEAD" else method
    if wanted == "OPTIONS":
        return Route(provider, wanted, None)
    if wanted not in _METHODS[provider]:
        raise HttpError(405)
    if len(rest) != (0 if wanted == "POST" else 1):
        raise NotFound
    return Route(provider, wanted, rest[0] if rest else None)
