"""An access token as a client holds it."""

from dataclasses import dataclass, field

__all__ = ["Token"]


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `expires_in` is in seconds from the request on; `scope` is None where the answer names none.

    `token_type` is ``Bearer``, or ``DPoP`` for one that is bound to a key.

    Opaque: nothing here was verified, and nothing should be read out of it (RFC 6749 §1.4).
    """

    access_token: str = field(repr=False)
    expires_in: float
    scope: str | None = None
    token_type: str = "Bearer"
