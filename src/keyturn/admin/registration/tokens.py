"""Initial and registration access tokens: made here and read here, signed with the realm's HS512 key.

Source: Keycloak ``ClientRegistrationTokenUtils``, ``ClientRegistrationAuth``.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from msgspec.structs import replace

from keyturn.admin.authentication import REVOKED_TOKENS
from keyturn.admin.registration.refusal import unauthorized
from keyturn.jose import jwt
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.client_certificate import ClientCertificate
from keyturn.jose.jwk import PrivateKey
from keyturn.model.key_providers import fallback, generate, key_ring
from keyturn.model.realm import Realm
from keyturn.oauth2 import bound_tokens
from keyturn.representations import ClientRepresentation, encode, given
from keyturn.representations.client_initial_access import ClientInitialAccessPresentation
from keyturn.store.collections import COMPONENTS
from keyturn.store.spi import Reader, Transaction

__all__ = [
    "Kind",
    "Maker",
    "RegistrationAuth",
    "Shown",
    "is_current",
    "kept_token",
    "read_token",
    "with_new_token",
]

_ALGORITHM: Final = "HS512"
_ALGORITHMS: Final = frozenset(SIGNATURE_ALGORITHMS)
_INITIAL: Final = "InitialAccessToken"
_REGISTRATION: Final = "RegistrationAccessToken"
_ORIGINS: Final = "allowed-origins"


class RegistrationAuth(StrEnum):
    """How a client came to be registered, which is what its policies go by; the ``subType`` of their components."""

    ANONYMOUS = "anonymous"
    AUTHENTICATED = "authenticated"


class Kind(StrEnum):
    """What a request shows, by ``typ``; nothing is a token of nobody."""

    NOTHING = ""
    BEARER = "Bearer"
    INITIAL = _INITIAL
    REGISTRATION = _REGISTRATION


@dataclass(frozen=True, slots=True)
class Shown:
    """The token that a request shows, verified; its client, user and roles are not looked at yet."""

    kind: Kind
    claims: jwt.VerifiedClaims | None = None
    text: str = field(default="", repr=False)

    @property
    def id(self) -> str:
        """``jti``."""
        return "" if self.claims is None else str(self.claims.get("jti"))

    @property
    def auth(self) -> RegistrationAuth:
        """What the policies of a client that is read, changed or removed with it are."""
        if self.claims is None:
            return RegistrationAuth.ANONYMOUS
        if self.kind is Kind.REGISTRATION and self.claims.get("registration_auth") == RegistrationAuth.ANONYMOUS:
            return RegistrationAuth.ANONYMOUS
        return RegistrationAuth.AUTHENTICATED

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins of pages that may use it."""
        named = None if self.claims is None else self.claims.get(_ORIGINS)
        return tuple(map(str, named)) if isinstance(named, list) else ()


def read_token(
    authorization: str | None,
    realm: Realm,
    issuer: str,
    reader: Reader,
    now: int,
    certificate: ClientCertificate | None = None,
) -> Shown:
    """The token of an ``Authorization`` header; nothing where it is of another scheme, or none.

    Raises:
        Refusal: it is none of this realm's that counts at `now` (epoch seconds), or none that registers.
    """
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip() or " " in text:
        return Shown(Kind.NOTHING)
    try:
        claims = jwt.verify(text, realm.keys.verifying, _ALGORITHMS)
        if claims.get("exp"):  # these tokens say 0 where they never expire
            jwt.check_times(claims, now)
        if claims.get("iss") != issuer or reader.is_used(f"{REVOKED_TOKENS}:{realm.id}", str(claims.get("jti")), now):
            raise jwt.InvalidToken("of another issuer, or revoked")
    except jwt.InvalidToken:
        raise unauthorized("Failed decode token") from None
    kind = claims.get("typ")
    # Whoever may set claims of access tokens must not make these of them.
    if kind in {_INITIAL, _REGISTRATION} and claims.header.get("alg") != _ALGORITHM:
        raise unauthorized("Failed decode token")
    confirmation = claims.get("cnf")
    bound = "cnf" in claims and not (  # no proof is looked at here
        bound_tokens.names_certificate(confirmation) and bound_tokens.is_shown(confirmation, certificate)
    )
    if bound or kind not in {Kind.BEARER, Kind.INITIAL, Kind.REGISTRATION}:
        raise unauthorized("Invalid type of token")
    return Shown(Kind(kind), claims, text)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes tokens of one realm in one transaction."""

    tx: Transaction
    realm: Realm
    issuer: str
    now: float
    new_id: Callable[[], str]
    random: Callable[[int], bytes]

    def initial(self, access: ClientInitialAccessPresentation, web_origins: Iterable[str] | None) -> str:
        """The token of `access`; `web_origins` are those of pages that may use it."""
        lifespan = given(access.expiration, 0)
        end = given(access.timestamp, 0) + lifespan if lifespan > 0 else 0
        return _signed(self._key(), self.issuer, self.now, given(access.id, ""), _INITIAL, end, {}, web_origins)

    def registration(self, token_id: str, auth: RegistrationAuth, web_origins: Iterable[str] | None) -> str:
        """The token of the client that keeps `token_id`."""
        return _registration_token(self._key(), self.issuer, self.now, token_id, auth, web_origins)

    def _key(self) -> PrivateKey:
        """The realm's key; made where it has none, as Keycloak does."""
        key = self.realm.keys.signing.get(_ALGORITHM)
        if key is not None:
            return key
        missing = fallback(_ALGORITHM, component_id=self.new_id(), realm_id=self.realm.id)
        made = generate(missing, realm_name=self.realm.name, now=self.now, random=self.random)
        self.tx.insert(COMPONENTS, self.realm.id, made)
        return key_ring([made]).signing[_ALGORITHM]


def _registration_token(
    key: PrivateKey, issuer: str, now: float, token_id: str, auth: RegistrationAuth, web_origins: Iterable[str] | None
) -> str:
    return _signed(key, issuer, now, token_id, _REGISTRATION, 0, {"registration_auth": auth.value}, web_origins)


def _signed(
    key: PrivateKey,
    issuer: str,
    now: float,
    token_id: str,
    kind: str,
    end: int,
    more: Mapping[str, Any],
    web_origins: Iterable[str] | None,
) -> str:
    claims: dict[str, Any] = {
        "exp": end,
        "iat": int(now),
        "jti": token_id,
        "iss": issuer,
        "aud": issuer,
        "typ": kind,
        **more,
    }
    if web_origins is not None:
        claims[_ORIGINS] = list(dict.fromkeys(web_origins))
    return jwt.encode({"alg": key.algorithm, "typ": "JWT", "kid": key.kid}, encode(claims), key).decode()


def with_new_token(
    client: ClientRepresentation, auth: RegistrationAuth, web_origins: Iterable[str] | None, maker: Maker
) -> tuple[ClientRepresentation, str]:
    """`client` as it is to be stored, and its new registration access token: the one before counts no more.

    What is stored of a token is its ``jti``.
    """
    token_id = maker.new_id()
    return replace(client, registration_access_token=token_id), maker.registration(token_id, auth, web_origins)


def is_current(shown: Shown, client: ClientRepresentation | None) -> bool:
    """Whether `shown` is the registration access token of `client`, which must be enabled."""
    if client is None or client.enabled is not True or not isinstance(client.registration_access_token, str):
        return False
    return hmac.compare_digest(client.registration_access_token.encode(), shown.id.encode())


def kept_token(shown: Shown, realm: Realm, issuer: str, now: float) -> str:
    """The registration access token that was shown, signed anew where the realm has another key now."""
    key = realm.keys.signing.get(_ALGORITHM)
    if key is None or shown.claims is None or shown.claims.header.get("kid") == key.kid:
        return shown.text
    return _registration_token(key, issuer, now, shown.id, shown.auth, None)
