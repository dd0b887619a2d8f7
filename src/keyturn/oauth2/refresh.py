"""Reads refresh tokens, which only this server makes and reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keyturn.jose import jwt
from keyturn.model.realm import Realm
from keyturn.oauth2.access_token import REFRESH_ALGORITHM, REQUESTED_AUDIENCE, REQUESTED_RESOURCES

_ALGORITHMS = frozenset({REFRESH_ALGORITHM})


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token of this realm says; its signature holds. Times in epoch seconds."""

    jti: str
    sub: str | None
    """None where the access token that was issued with it names no subject."""
    sid: str
    client_id: str
    scope: str
    issued_at: int
    expires_at: int | None
    offline: bool
    audience: tuple[str, ...]
    """The clients that it was asked for in a token exchange."""
    resources: tuple[str, ...]
    """The resources that it was given for."""
    confirmation: Mapping[str, Any]
    """``cnf``: what it is bound to; empty for nothing."""

    @property
    def type(self) -> str:
        """``typ``: ``Refresh`` or ``Offline``."""
        return "Offline" if self.offline else "Refresh"


def read_refresh_token(token: str, realm: Realm, issuer: str) -> RefreshClaims:
    """The claims of a refresh token that this realm has issued. Does NOT check times, client and session.

    Raises:
        jwt.InvalidToken: malformed, tampered with, of another issuer, or no refresh token.
    """
    claims = jwt.verify(token, realm.keys.verifying, _ALGORITHMS)
    if claims.get("typ") not in ("Refresh", "Offline"):
        raise jwt.InvalidToken("no refresh token")
    if claims.get("iss") != issuer:
        raise jwt.InvalidToken("another issuer")
    expires_at = claims.get("exp")
    return RefreshClaims(
        jti=str(claims.get("jti")),
        sub=claims.get("sub"),
        sid=str(claims.get("sid")),
        client_id=str(claims.get("azp")),
        scope=str(claims.get("scope", "")),
        issued_at=int(claims.get("iat", 0)),
        expires_at=None if expires_at is None else int(expires_at),
        offline=claims["typ"] == "Offline",
        audience=tuple(claims.get(REQUESTED_AUDIENCE, ())),
        resources=tuple(claims.get(REQUESTED_RESOURCES, ())),
        confirmation=claims.get("cnf") or {},
    )
