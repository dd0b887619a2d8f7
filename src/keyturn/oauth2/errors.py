"""The errors of the endpoints of a realm (RFC 6749 §5.2, RFC 6750 §3.1), each a class with its code.

The public sentence is Keycloak's; the private detail goes to the log, never to the wire.
"""

import re
from typing import ClassVar, Final

from keyturn.model.strictness import Strictness
from keyturn.oauth2.http_message import Headers
from keyturn.oauth2.trace import Trace

_NOT_ALLOWED: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
"""In an ``error_description`` (RFC 6749 §5.2)."""

USER_DISABLED: Final = "user_disabled"
"""What events call a user who is disabled (Keycloak ``Errors``)."""

USER_NOT_FOUND: Final = "user_not_found"
"""What events call a user who is not there."""


class OAuth2Error(Exception):
    """An error answer. `description` is public; `log` says to the operator what the caller must not learn.

    Args:
        event: what events call it, where that is not the class's own word (Keycloak ``Errors``).
        told: the details of the event; the description as ``reason`` unless they are given.
        kept: whether there is an event at all.
    """

    error: str
    status: ClassVar[int] = 400
    event: ClassVar[str] = ""
    """What events call it, where that is not what the wire says."""
    kept: ClassVar[bool] = True

    def __init__(
        self,
        description: str,
        *,
        log: str = "",
        status: int | None = None,
        event: str = "",
        told: dict[str, str] | None = None,
        kept: bool = True,
    ) -> None:
        super().__init__(description)
        self.description = description
        self.log = log
        self.http_status = status or self.status
        self.headers: Headers = ()
        """More of them for the answer."""
        self.trace = Trace(
            error=event or self.event or self.error,
            details={"reason": description} if told is None else told,
            kept=kept and self.kept,
        )

    def document(self, strictness: Strictness) -> dict[str, str]:
        """What the wire says. Some of Keycloak's texts repeat what was sent: where a realm is strict about errors, only
        in characters that the RFC allows.
        """
        text = _NOT_ALLOWED.sub("?", self.description) if strictness.one_error else self.description
        return {"error": self.error, "error_description": text}


class InvalidRequest(OAuth2Error):
    """A parameter is missing, repeated or malformed."""

    error = "invalid_request"


class MalformedRequest(InvalidRequest):
    """The request is refused before its client is looked at."""

    kept = False


class InvalidClient(OAuth2Error):
    """The client is unknown, disabled, of the wrong kind, or did not authenticate."""

    error = "invalid_client"
    status = 401


class NotAuthenticated(InvalidClient):
    """The one answer, where a realm has only one, to whoever has not proved who it is. When it leaves says no more."""

    def __init__(self, *, log: str, challenge: str) -> None:
        super().__init__("Client authentication failed", log=log)
        self.headers = ((b"www-authenticate", challenge.encode()),)


class UnauthorizedClient(OAuth2Error):
    """The client may not use this grant. Keycloak says so of a wrong secret, too."""

    error = "unauthorized_client"
    status = 401
    event = "invalid_client"


class InvalidGrant(OAuth2Error):
    """The grant - a password, a refresh token - is not valid."""

    error = "invalid_grant"
    event = "invalid_token"


class NotAllowed(OAuth2Error):
    """Offline tokens are not for this user or client (Keycloak's own code)."""

    error = "not_allowed"


class InvalidScope(OAuth2Error):
    """A requested scope is not one of the client's."""

    error = "invalid_scope"
    event = "invalid_request"


class InvalidTarget(OAuth2Error):
    """A resource that is none, or that the client's tokens are not for (RFC 8707 §2)."""

    error = "invalid_target"


class InvalidToken(OAuth2Error):
    """The token is expired, revoked, malformed, or of somebody else."""

    error = "invalid_token"
    status = 401


class UnsupportedGrantType(OAuth2Error):
    """No grant of this name."""

    error = "unsupported_grant_type"
    kept = False


class UnsupportedTokenType(OAuth2Error):
    """No such token can be revoked (RFC 7009 §2.2.1)."""

    error = "unsupported_token_type"
    event = "invalid_token_type"


class UseDpopNonce(OAuth2Error):
    """A proof needs the nonce that comes with this answer (RFC 9449 §8)."""

    error = "use_dpop_nonce"
    event = "invalid_dpop_proof"

    def __init__(self, nonce: str) -> None:
        super().__init__("Authorization server requires nonce in DPoP proof")
        self.headers = ((b"dpop-nonce", nonce.encode()),)


class TooManyFailures(OAuth2Error):
    """The sender has failed too often to be looked at again before `wait` seconds are over (RFC 6585 §4)."""

    error = "temporarily_unavailable"
    status = 429
    kept = False

    def __init__(self, wait: int) -> None:
        super().__init__("Too many failed attempts", log=f"too many failures: {wait} seconds to wait")
        self.headers = ((b"retry-after", b"%d" % wait),)


class AccessDenied(OAuth2Error):
    """The realm refuses."""

    error = "access_denied"
    status = 403
    kept = False


class AudienceDenied(OAuth2Error):
    """The token that is to be exchanged is not for the client that asks."""

    error = "access_denied"
    status = 403


class InvalidTicket(OAuth2Error):
    """A permission ticket that nobody has given (UMA 2.0 §3.3.6)."""

    error = "invalid_ticket"
    status = 403
    kept = False


class Misconfigured(OAuth2Error):
    """Something that a setting makes impossible, as an algorithm that nobody knows. Keycloak answers 500."""

    error = "invalid_request"
    kept = False

    def __init__(self, *, log: str) -> None:
        super().__init__("The realm's or the client's settings allow no token; the server's log says why", log=log)


class ClientPolicyViolation(OAuth2Error):
    """A client policy of the realm forbids it, with a code of its own."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        told = {
            "reason": "client_policy_error",
            "client_policy_error": error,
            "client_policy_error_detail": description,
        }
        super().__init__(description, status=status, event=error, told=told)
        self.error = error
