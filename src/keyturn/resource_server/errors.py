"""Why a request is not let in, and the challenge that says so (RFC 6750 §3, RFC 9449 §7.1)."""

from typing import ClassVar, Final

from keyturn.jose import dpop

__all__ = [
    "InsufficientScope",
    "InvalidDpopProof",
    "InvalidRequest",
    "InvalidToken",
    "IssuerUnavailable",
    "NoCredentials",
    "Refused",
    "TooManyProofs",
    "UseDpopNonce",
]

_ALGORITHMS: Final = " ".join(sorted(dpop.ALGORITHMS))


class Refused(Exception):
    """A request that is not let in. `description` is for people, safe to publish: it never holds a part of the token.

    `status` is the HTTP status, `code` the error of RFC 6750 §3.1, `scope` what would have been enough
    (space-separated). `scheme` is the one that the request used, or should use: ``Bearer`` or ``DPoP``.
    """

    status: ClassVar[int]
    code: ClassVar[str | None]

    def __init__(self, description: str = "", *, scope: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.scope = scope
        self.scheme = "Bearer"

    def challenge(self, realm: str) -> str:
        """The value of ``WWW-Authenticate``; characters that RFC 6750 §3 does not allow become question marks."""
        parameters = {"realm": realm, "error": self.code, "error_description": self.description, "scope": self.scope}
        if self.scheme == "DPoP":
            parameters["algs"] = _ALGORITHMS
        return f"{self.scheme} " + ", ".join(f'{name}="{_plain(value)}"' for name, value in parameters.items() if value)


class NoCredentials(Refused):
    """There is no bearer token. The challenge carries no error code, since nothing was wrong (RFC 6750 §3.1)."""

    status = 401
    code = None


class InvalidRequest(Refused):
    """The credentials are malformed, or given twice."""

    status = 400
    code = "invalid_request"


class InvalidToken(Refused):
    """The token is malformed, expired, somebody else's, or not an access token for this service."""

    status = 401
    code = "invalid_token"


class InvalidDpopProof(Refused):
    """The key that the token is bound to was not shown (RFC 9449 §7.1)."""

    status = 401
    code = "invalid_dpop_proof"

    def __init__(self, description: str = "") -> None:
        super().__init__(description)
        self.scheme = "DPoP"


class UseDpopNonce(InvalidDpopProof):
    """The proof lacks the nonce that this service wants (RFC 9449 §9): answer with it as ``DPoP-Nonce``."""

    code = "use_dpop_nonce"

    def __init__(self, nonce: str) -> None:
        super().__init__("Resource server requires nonce in DPoP proof")
        self.nonce = nonce


class TooManyProofs(Refused):
    """More proofs come in than can be told apart. Says nothing about this one."""

    status = 503
    code = "temporarily_unavailable"


class InsufficientScope(Refused):
    """The token is good but lacks a role or scope."""

    status = 403
    code = "insufficient_scope"


class IssuerUnavailable(Refused):
    """The issuer's keys were never read, or too long ago, and it does not answer. Says nothing about the token."""

    status = 503
    code = "temporarily_unavailable"


def _plain(value: str) -> str:
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in value)
