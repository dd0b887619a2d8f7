"""Why there is no token: one class an error code (RFC 6749 §5.2, §4.1.2.1; RFC 8707 §2, RFC 9449 §8)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

__all__ = [
    "AccessDenied",
    "AuthorizationServerError",
    "AuthorizationServerUnavailable",
    "InvalidClient",
    "InvalidGrant",
    "InvalidRequest",
    "InvalidResponse",
    "InvalidScope",
    "InvalidTarget",
    "NoWorkloadToken",
    "OAuthError",
    "TemporarilyUnavailable",
    "TokenError",
    "UnauthorizedClient",
    "UnsupportedGrantType",
    "UseDpopNonce",
    "oauth_error",
]


class TokenError(Exception):
    """No token could be had. No message holds a secret or a token."""


class AuthorizationServerUnavailable(TokenError):
    """The authorization server does not answer, or answers with a server error and no OAuth error."""


class NoWorkloadToken(TokenError):
    """The platform has no token for the workload: the file is not there, or nobody gives one."""


class InvalidResponse(TokenError):
    """The authorization server's answer is neither a token that can be used nor an OAuth error."""


class OAuthError(TokenError):
    """The authorization server refuses, with an error code. Of this class itself for codes that have no class here."""

    code: ClassVar[str] = ""

    def __init__(self, error: str, description: str | None, status: int) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error
        self.description = description
        self.status = status


class InvalidRequest(OAuthError):
    """A parameter is missing, repeated or malformed."""

    code = "invalid_request"


class InvalidClient(OAuthError):
    """The client is unknown, or its authentication failed."""

    code = "invalid_client"


class InvalidGrant(OAuthError):
    """The grant is invalid, expired or revoked."""

    code = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """The client may not use this grant. Keycloak also says this of a wrong secret."""

    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """The authorization server does not know the grant."""

    code = "unsupported_grant_type"


class InvalidScope(OAuthError):
    """A requested scope is unknown, malformed or not the client's."""

    code = "invalid_scope"


class InvalidTarget(OAuthError):
    """The requested resource is unknown or not for this client (RFC 8707 §2, RFC 9449 §8)."""

    code = "invalid_target"


class AccessDenied(OAuthError):
    """The authorization server denies it; of a disabled realm, for instance."""

    code = "access_denied"


class UseDpopNonce(OAuthError):
    """The proof needs the nonce that came with the answer (RFC 9449 §8); with it, asking again may help."""

    code = "use_dpop_nonce"


class AuthorizationServerError(OAuthError):
    """The authorization server failed."""

    code = "server_error"


class TemporarilyUnavailable(OAuthError):
    """The authorization server is overloaded or down for a while."""

    code = "temporarily_unavailable"


_BY_CODE: Final[Mapping[str, type[OAuthError]]] = MappingProxyType(
    {
        kind.code: kind
        for kind in (
            InvalidRequest,
            InvalidClient,
            InvalidGrant,
            UnauthorizedClient,
            UnsupportedGrantType,
            InvalidScope,
            InvalidTarget,
            AccessDenied,
            UseDpopNonce,
            AuthorizationServerError,
            TemporarilyUnavailable,
        )
    }
)


def oauth_error(error: str, description: str | None, status: int) -> OAuthError:
    """The exception for an error code."""
    return _BY_CODE.get(error, OAuthError)(error, description, status)
