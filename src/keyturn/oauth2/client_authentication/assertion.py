"""A client's assertion (RFC 7521 §4.2, RFC 7523 §3) as it is shown, before anything of it is true."""

from typing import Any, Final

from keyturn.jose import jwt
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

SPIFFE_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
"""That of a SPIFFE JWT-SVID (draft-ietf-oauth-spiffe-client-auth), which need not say who has issued it."""

MAXIMUM_LENGTH: Final = 16 * 1024
"""Bytes of an assertion; those that tools make have a tenth of it."""

_KNOWN: Final = frozenset(SIGNATURE_ALGORITHMS) | {"none", "Ed25519", "Ed448"}
_FAR: Final = 2**62


class Assertion:
    """The parts of an assertion. `problem` says for the log why it has none; else ``token`` is there.

    Numbers and texts are taken for each other, as Keycloak does: its JSON library makes ``"12"`` the number 12.
    """

    __slots__ = ("audiences", "expires", "issued", "issuer", "jti", "not_before", "problem", "subject", "token")

    def __init__(self, text: str) -> None:
        self.problem: str | None = None
        self.token: jwt.Unverified | None = None
        self.issuer = self.subject = self.jti = None
        self.expires = self.issued = self.not_before = None
        self.audiences: tuple[str, ...] = ()
        try:
            token = jwt.parse(text, MAXIMUM_LENGTH)
            if token.header.get("alg") is not None and token.algorithm not in _KNOWN:
                raise ValueError("an unknown algorithm")
            claim = token.claims.get
            self.issuer, self.subject, self.jti = _text(claim("iss")), _text(claim("sub")), _text(claim("jti"))
            self.expires, self.issued = _number(claim("exp")), _number(claim("iat"))
            self.not_before = _number(claim("nbf"))
            self.audiences = _audiences(claim("aud"))
            self.token = token
        except jwt.InvalidToken as error:
            self.problem = error.reason
        except ValueError as error:
            self.problem = str(error)

    @property
    def told(self) -> dict[str, str]:
        """What events tell of it (Keycloak ``ClientAssertionState``)."""
        if self.token is None:
            return {}
        details = {
            "client_assertion_id": self.jti,
            "client_assertion_issuer": self.issuer,
            "client_assertion_sub": self.subject,
        }
        return {name: value for name, value in details.items() if value}

    @property
    def self_issued(self) -> bool:
        """Whether its issuer is its subject: a client speaks for itself."""
        return self.token is not None and self.issuer == self.subject


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ValueError("a claim is no text")


def _number(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueError("a time is no number")
    if isinstance(value, str):
        value = value.strip()
        if len(value) > 20 or not value.removeprefix("-").isascii() or not value.removeprefix("-").isdigit():
            raise ValueError("a time is no number")
        value = int(value)
    if not isinstance(value, int | float) or not -_FAR < value < _FAR:
        raise ValueError("a time is no number")
    return int(value)


def _audiences(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    values = value if isinstance(value, list) else [value]
    return tuple(text for item in values if (text := _text(item)) is not None)
