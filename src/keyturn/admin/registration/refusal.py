"""What registration refuses, for the wire and for the log of events. Source: Keycloak ``ClientRegistrationAuth``."""

from collections.abc import Mapping
from typing import Final

from keyturn.admin.errors import AdminError, OAuthError

__all__ = [
    "INVALID_CLIENT_METADATA",
    "INVALID_REDIRECT_URI",
    "Refusal",
    "client_not_found",
    "forbidden",
    "invalid_metadata",
    "refused_by_policy",
    "unauthorized",
]

INVALID_CLIENT_METADATA: Final = "invalid_client_metadata"
INVALID_REDIRECT_URI: Final = "invalid_redirect_uri"
_NOTHING: Final[Mapping[str, str]] = {}


class Refusal(OAuthError):
    """A request that may not be, and the event of it: `event_error` (Keycloak ``Errors``) with `details`."""

    def __init__(
        self, status: int, error: str, description: str, event_error: str, details: Mapping[str, str] = _NOTHING
    ) -> None:
        super().__init__(status, error, description)
        self.event_error = event_error
        self.details = details


def unauthorized(reason: str) -> Refusal:
    """No token that will do."""
    return Refusal(401, "invalid_token", reason, "invalid_token", {"reason": reason})


def forbidden() -> Refusal:
    """A bearer token without the role."""
    return Refusal(403, "insufficient_scope", "Forbidden", "not_allowed")


def refused_by_policy(policy: str, reason: str) -> Refusal:
    """What the registration policy of this name does not allow."""
    description = f"Policy '{policy}' rejected request to client-registration service. Details: {reason}"
    return Refusal(403, "insufficient_scope", description, "not_allowed", {"client_registration_policy": policy})


def client_not_found() -> Refusal:
    """There is no such client, for who would have the right to it."""
    return Refusal(404, "invalid_request", "Client not found", "client_not_found")


def invalid_metadata(description: str = "Client metadata invalid", error: str = INVALID_CLIENT_METADATA) -> AdminError:
    """A document that makes no client (RFC 7591 §3.2.2). Keycloak keeps no event of it."""
    return OAuthError(400, error, description)
