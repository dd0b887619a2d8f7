"""Makes the tokens that a grant has decided on (RFC 6749 §5.1).

For one client, issuer, scope and address everything in the token but its times and its id is known beforehand. It is
kept as encoded bytes (``Prepared``) in the compiled client, so that signing is all that is left to pay for.
"""

import hashlib
from binascii import b2a_base64
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from keyturn.jose import base64url
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.jwk import PrivateKey
from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.oauth2.claims import access_token_claims, claims_context, id_token_claims
from keyturn.oauth2.errors import Misconfigured
from keyturn.oauth2.http_message import JSON, NO_STORE, Headers, Response
from keyturn.oauth2.identifiers import new_id
from keyturn.oauth2.protocol_mappers.spi import ClaimsContext
from keyturn.oauth2.resource_indicators import check
from keyturn.oauth2.spi import Authorization, Binding, MakeKey, Pending, Random
from keyturn.representations import encode

BEARER: Final = "Bearer"
REFRESH_ALGORITHM: Final = "HS512"
REQUESTED_AUDIENCE: Final = "req-aud"
"""Claim of a refresh token: the clients that it was asked for in a token exchange."""
REQUESTED_RESOURCES: Final = "resource"
"""Claim of a refresh token: the resources that it was asked for."""

ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"
REFRESH_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:refresh_token"
ID_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:id_token"
"""RFC 8693 §3."""

_HEADERS: Final[Headers] = (*NO_STORE, JSON)
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_ALIKE: Final = 256
"""Parts that many tokens have alike, of each kind, that are kept."""
_AT_HASH_BITS: Final = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class NoKey(Exception):
    """The realm has no key that signs with an algorithm that it supports: one is to be made."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithm)
        self.pending = Pending(MakeKey(algorithm))


@dataclass(frozen=True, slots=True)
class Prepared:
    """An access token but for its times, its id and what it is bound to, and the answer around it."""

    header: bytes
    claims: bytes
    """Base64 of what follows the times and the id."""
    key: PrivateKey = field(repr=False)
    answer_end: bytes
    lifespan: int
    gathered: bool = False
    """Whether a signature costs less when it is made together with others (``TokenEndpoint.begin``)."""

    def issue(self, now: int, token_id: str) -> Response:
        """The answer with a fresh token. The one thing that costs is ``key.sign``."""
        return self.begin(now, token_id).sign()

    def answer(self, now: int, token_id: str, binding: Binding | None = None) -> "Response | Unsigned":
        """The answer with a fresh token, unsigned where a signature is better made together with others."""
        unsigned = self.begin(now, token_id, binding)
        return unsigned if self.gathered else unsigned.sign()

    def begin(self, now: int, token_id: str, binding: Binding | None = None) -> "Unsigned":
        """The answer with a fresh token, but for its signature."""
        head = f'{{"exp":{now + self.lifespan},"iat":{now},"jti":"{token_id}",'.encode()
        if binding is not None:
            head += b'"cnf":%b,' % encode(binding.confirmation)
        # Spaces up to a multiple of three bytes, so that the base64 of the rest can be joined to it as it is.
        head += b"  "[: -len(head) % 3]
        encoded = b2a_base64(head, newline=False).translate(_URL_SAFE)
        return Unsigned(self, b"%b%b%b" % (self.header, encoded, self.claims))


@dataclass(slots=True)
class Unsigned:
    """The answer to a token request, whose token only lacks its signature."""

    prepared: Prepared
    signing_input: bytes = field(repr=False)

    @property
    def key(self) -> PrivateKey:
        """What it is to be signed with."""
        return self.prepared.key

    def sign(self) -> Response:
        """The whole answer, signed here and now."""
        return self.signed(self.prepared.key.sign(self.signing_input))

    def signed(self, signature: bytes) -> Response:
        """The whole answer, with a signature of ``key`` on ``signing_input``."""
        token = b'{"access_token":"%b.%b' % (self.signing_input, base64url.encode(signature))
        return Response(200, _HEADERS, token + self.prepared.answer_end)


def sign(prepared: Prepared, now: int, token_id: str, binding: Binding | None = None) -> bytes:
    """A compact JWS of the prepared claims."""
    signing_input = prepared.begin(now, token_id, binding).signing_input
    return b"%b.%b" % (signing_input, base64url.encode(prepared.key.sign(signing_input)))


def signing_key(realm: Realm, client: Client) -> PrivateKey:
    """The key for the client's algorithm, or the realm's default.

    Raises:
        NoKey: the realm has none yet.
        Misconfigured: nobody knows the algorithm (Keycloak answers this way at token time, too).
    """
    return key_for(realm, signing_algorithm(realm, client))


def signing_algorithm(realm: Realm, client: Client) -> str:
    """What the client's access tokens are signed with."""
    return client.attributes.get("access.token.signed.response.alg") or realm.default_signature_algorithm


def key_for(realm: Realm, algorithm: str) -> PrivateKey:
    """The realm's active key for `algorithm`. Raises NoKey, Misconfigured."""
    key = realm.keys.signing.get(algorithm)
    if key is not None:
        return key
    if algorithm in SIGNATURE_ALGORITHMS:
        raise NoKey(algorithm)
    raise Misconfigured(log=f"no key of realm {realm.name} signs with {algorithm!r}")


def prepare(
    realm: Realm, client: Client, authorization: Authorization, issuer: str, token_type: str = BEARER
) -> Prepared:
    """Everything about the access token of `authorization` that does not change from one to the next.

    Raises NoKey, Misconfigured, InvalidTarget.
    """
    return _prepare(authorization, *_claims(realm, client, authorization, issuer, token_type))


def _claims(
    realm: Realm, client: Client, authorization: Authorization, issuer: str, token_type: str
) -> tuple[ClaimsContext, dict[str, Any]]:
    context = claims_context(realm, client, authorization, issuer)
    sid = authorization.session.sid if authorization.session else None
    exchanged = authorization.issued_token_type is not None
    claims = access_token_claims(context, sid=sid, exchanged=exchanged, typ=token_type)
    return context, check(claims, authorization.resources) if authorization.resources else claims


def _prepare(authorization: Authorization, context: ClaimsContext, claims: dict[str, Any]) -> Prepared:
    realm, client = context.realm, context.client
    key = signing_key(realm, client)
    of_rfc_9068 = realm.strictness.rfc_9068 or client.flag("access.token.header.type.rfc9068")
    token_type = "at+jwt" if of_rfc_9068 else "JWT"
    return Prepared(
        header=_header(key.algorithm, key.kid, token_type),
        claims=base64url.encode(encode(claims)[1:]),
        key=key,
        answer_end=_answer_end(
            _not_before(realm, client, authorization),
            authorization.lifespan,
            claims["typ"],
            authorization.scopes.claim(),
        ),
        lifespan=authorization.lifespan,
    )


def issue(
    realm: Realm,
    client: Client,
    authorization: Authorization,
    issuer: str,
    now: int,
    token_id: str,
    random: Random,
    binding: Binding | None = None,
) -> Response:
    """The whole answer, with refresh and ID tokens where they belong; `token_id` is the access token's.

    Raises NoKey, Misconfigured.
    """
    token_type = BEARER if binding is None else binding.token_type
    context, claims = _claims(realm, client, authorization, issuer, token_type)
    access_token = sign(_prepare(authorization, context, claims), now, token_id, binding).decode()
    refresh, issued = authorization.refresh, authorization.issued_token_type
    if issued == ID_TOKEN_TYPE:
        # RFC 8693 §2.2.1: what was asked for is called access_token, whatever it is.
        access_token = _id_token(context, authorization, None, now, random)
    answer: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": authorization.lifespan,
        "refresh_expires_in": 0 if refresh is None else refresh.lifespan or 0,
    }
    if refresh is not None:
        answer["refresh_token"] = _refresh_token(context, authorization, claims, now, random, binding)
    answer["token_type"] = "N_A" if issued == ID_TOKEN_TYPE else token_type
    if (authorization.scopes.openid or authorization.id_token) and issued != ID_TOKEN_TYPE:
        answer["id_token"] = _id_token(context, authorization, access_token, now, random)
    answer["not-before-policy"] = _not_before(realm, client, authorization)
    if authorization.session is not None:
        answer["session_state"] = authorization.session.sid
    answer["scope"] = authorization.told_scope()
    if issued is not None:
        answer["issued_token_type"] = issued
    return Response(200, _HEADERS, encode(answer))


def _not_before(realm: Realm, client: Client, authorization: Authorization) -> int:
    """Tokens issued earlier count for nothing (Keycloak ``TokenManager.AccessTokenResponseBuilder``)."""
    return max(realm.not_before, client.not_before, authorization.subject.not_before)


@lru_cache(maxsize=_ALIKE)
def _answer_end(not_before: int, lifespan: int, token_type: str, scope: str) -> bytes:
    answer: dict[str, Any] = {
        "expires_in": lifespan,
        "refresh_expires_in": 0,
        "token_type": token_type,
        "not-before-policy": not_before,
        "scope": scope,
    }
    return b'",' + encode(answer)[1:]


def _refresh_token(
    context: ClaimsContext,
    authorization: Authorization,
    access: dict[str, Any],
    now: int,
    random: Random,
    binding: Binding | None,
) -> str:
    """A refresh token: for this server's eyes only (Keycloak ``RefreshToken``, signed with HS512).

    `access` are the claims of the access token that is issued with it. A public client proves nothing else when it
    comes back: its refresh tokens are bound as well (RFC 9449 §5).
    """
    refresh, session = authorization.refresh, authorization.session
    if refresh is None or session is None:
        raise ValueError("a refresh token needs a session")
    times: dict[str, Any] = {} if refresh.lifespan is None else {"exp": now + refresh.lifespan}
    claims = times | {"iat": now, "jti": refresh.jti, "iss": context.issuer, "aud": context.issuer}
    if "sub" in access:
        claims["sub"] = context.subject.id
    claims |= {
        "typ": "Offline" if refresh.offline else "Refresh",
        "azp": context.client.client_id,
        "sid": session.sid,
        "scope": refresh.scope,
    }
    if binding is not None and (binding.of_refresh_token or context.client.public):
        claims["cnf"] = binding.confirmation
    if "aud" in access:
        claims["aud_x"] = access["aud"]
    claims["prov"] = "default"
    if context.realm.revoke_refresh_token:
        claims["reuse_id"] = new_id(random)
    if refresh.audience:
        claims[REQUESTED_AUDIENCE] = refresh.audience
    if refresh.resources:
        claims[REQUESTED_RESOURCES] = refresh.resources
    return _compact(key_for(context.realm, REFRESH_ALGORITHM), encode(claims))


def _id_token(
    context: ClaimsContext, authorization: Authorization, access_token: str | None, now: int, random: Random
) -> str:
    algorithm = context.client.attributes.get("id.token.signed.response.alg")
    key = key_for(context.realm, algorithm or context.realm.default_signature_algorithm)
    times = {"exp": now + authorization.lifespan, "iat": now, "jti": new_id(random)}
    sid = authorization.session.sid if authorization.session else None
    at_hash = None if access_token is None else _at_hash(key.algorithm, access_token)
    claims = id_token_claims(context, sid=sid, at_hash=at_hash)
    return _compact(key, encode(times | claims))


def _at_hash(algorithm: str, access_token: str) -> str:
    """OIDC Core §3.1.3.6: the left half of the hash that the signature uses; EdDSA's is SHA-512."""
    digest = _AT_HASH_BITS.get(algorithm[-3:], hashlib.sha512)(access_token.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2]).decode()


def _compact(key: PrivateKey, claims: bytes) -> str:
    signing_input = _header(key.algorithm, key.kid, "JWT") + base64url.encode(claims)
    return (b"%b.%b" % (signing_input, base64url.encode(key.sign(signing_input)))).decode()


@lru_cache(maxsize=_ALIKE)
def _header(algorithm: str, kid: str, token_type: str) -> bytes:
    return base64url.encode(encode({"alg": algorithm, "typ": token_type, "kid": kid})) + b"."
