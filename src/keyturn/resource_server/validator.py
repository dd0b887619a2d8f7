"""Validation of access tokens without I/O (RFC 9068 §4, RFC 8725)."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from keyturn.jose import jwt
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.jwk import PublicKey
from keyturn.resource_server.access_token import AccessToken
from keyturn.resource_server.errors import InvalidToken
from keyturn.resource_server.possession import is_certificate_of

__all__ = ["ASYMMETRIC_ALGORITHMS", "Validator"]

ASYMMETRIC_ALGORITHMS: Final = frozenset(name for name, row in SIGNATURE_ALGORITHMS.items() if row.family != "oct")
"""A resource server shares no secret with the issuer: an HMAC key would let it make tokens."""

_ACCESS_TOKEN_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})  # RFC 9068 §2.1


class Validator:
    """The rules of one resource server. Holds no keys and no clock: both are arguments.

    Checked: signature and algorithm; ``iss`` is exactly the pinned issuer; ``aud`` names this service; it is an access
    token (Keycloak's claim ``typ`` is ``Bearer``, or the header's ``typ`` is ``at+jwt``), not an ID or refresh token;
    ``exp`` and ``nbf``; ``azp``, where `clients` are named; it is bound to no key or certificate (``cnf``), unless
    `dpop` says that the key will be asked for, or `certificate` is the one.

    NOT checked: whether the token was revoked, its session ended, or the client was disabled since it was issued
    (introspection, RFC 7662, tells that); whether roles were taken away since; proofs of possession, which
    ``ResourceServer`` looks at; ``iat``; ``sub``, ``acr``, and everything else that is in the claims.
    """

    def __init__(
        self,
        issuer: str,
        audience: str | Collection[str] | None = None,
        *,
        clients: Collection[str] | None = None,
        algorithms: Collection[str] = ASYMMETRIC_ALGORITHMS,
        leeway: float = 10,
        dangerously_accept_any_audience: bool = False,
    ) -> None:
        """Pin what to accept.

        Args:
            issuer: ``iss``, letter for letter. audience: this service's name, or names one of which must be in ``aud``.
            clients: the client ids to accept tokens from; None for any. algorithms: ``alg`` values. leeway: seconds by
            which clocks may differ. dangerously_accept_any_audience: accept tokens that were meant for other services,
            so that any service that gets
                one can use it here. For issuers that name no audience, as Keycloak does until a mapper adds one.

        Raises:
            ValueError: no audience and not switched off, or both; an algorithm that is unknown or needs a shared
            secret.
        """
        audiences = frozenset({audience} if isinstance(audience, str) else audience or ()) - {""}
        if bool(audiences) == dangerously_accept_any_audience:
            raise ValueError("name the audience, or else pass dangerously_accept_any_audience=True")
        if not algorithms or not set(algorithms) <= ASYMMETRIC_ALGORITHMS:
            raise ValueError(f"algorithms must be among {', '.join(sorted(ASYMMETRIC_ALGORITHMS))}")
        self.issuer = issuer
        self._audiences = audiences
        self._clients = None if clients is None else frozenset(clients)
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway

    def read(
        self, token: str | bytes, now: float, *, dpop: bool = False, certificate: str | None = None
    ) -> jwt.Unverified:
        """The token's parts, all rules checked but for the signature: so that no key is fetched for what fails anyway.

        Nothing that it returns may be acted on, other than to find the key for ``validate``.

        Raises:
            InvalidToken: saying why.
        """
        try:
            unverified = jwt.parse(token)
        except jwt.InvalidToken as error:
            raise InvalidToken(f"Token refused: {error.reason}") from None
        if unverified.algorithm not in self._algorithms:
            raise InvalidToken("Token refused: algorithm not accepted")
        self._check(unverified.header, unverified.claims, now, dpop=dpop, certificate=certificate)
        return unverified

    def validate(
        self,
        token: str | bytes | jwt.Unverified,
        key: PublicKey,
        now: float,
        *,
        dpop: bool = False,
        certificate: str | None = None,
    ) -> AccessToken:
        """The access token, once it satisfies all rules with `key`, which must be one of the issuer's.

        `dpop`: it was shown with the scheme ``DPoP``, and the caller sees to its proof. `certificate`: the thumbprint
        (``x5t#S256``) of the certificate that came with it.

        Raises:
            InvalidToken: saying why.
        """
        try:
            claims = jwt.verify(token, lambda kid, algorithm: key, self._algorithms)
        except jwt.InvalidToken as error:
            raise InvalidToken(f"Token refused: {error.reason}") from None
        self._check(claims.header, claims, now, dpop=dpop, certificate=certificate)
        return AccessToken.of(claims)

    def _check(
        self, header: Mapping[str, Any], claims: Mapping[str, Any], now: float, *, dpop: bool, certificate: str | None
    ) -> None:
        if claims.get("iss") != self.issuer:
            raise InvalidToken("Token of another issuer")
        kind = claims.get("typ")
        if kind != ("DPoP" if dpop else "Bearer") and (
            kind is not None or str(header.get("typ", "")).lower() not in _ACCESS_TOKEN_TYPES
        ):
            if kind == "DPoP":
                raise InvalidToken("Token is bound to a key that was not shown")
            raise InvalidToken("Not an access token that is bound to a key" if dpop else "Not a bearer access token")
        if "cnf" in claims and not dpop and not is_certificate_of(claims["cnf"], certificate):
            raise InvalidToken("Token is bound to a key or certificate that was not shown")
        if self._audiences and not self._audiences & _audiences(claims.get("aud")):
            raise InvalidToken("Token for another audience")
        if self._clients is not None and claims.get("azp", claims.get("client_id")) not in self._clients:
            raise InvalidToken("Token of another client")
        try:
            jwt.check_times(claims, now, self._leeway)
        except jwt.InvalidToken as error:
            raise InvalidToken(f"Token refused: {error.reason}") from None


def _audiences(value: Any) -> set[str]:
    values = value if isinstance(value, list) else [value]
    return {name for name in values if isinstance(name, str)}
