"""From the Authorization header to an `Administrator`: a bearer token that counts now.

Source: Keycloak ``AppAuthManager.BearerTokenAuthenticator``, ``AdminRoot.authenticateRealmAdminRequest``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from keyturn.admin.administrator import Administrator
from keyturn.admin.errors import Unauthorized
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.client_certificate import ClientCertificate
from keyturn.jose.jwt import InvalidToken, VerifiedClaims, check_times, parse, verify
from keyturn.model.realm import realm_path
from keyturn.oauth2 import bound_tokens, dpop
from keyturn.oauth2.bearer import TokenRejected
from keyturn.oauth2.inquiries import UseOnce
from keyturn.oauth2.token_context import context_of
from keyturn.registry.registry import Registry
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, REALMS, SESSIONS, USERS
from keyturn.store.spi import Reader

__all__ = ["REVOKED_TOKENS", "Credentials", "Shown", "admit", "verified"]

_CREDENTIALS: Final = re.compile(r"(?:bearer +|(?P<dpop>dpop) )(?P<token>\S+)", re.IGNORECASE)
_ASYMMETRIC: Final = frozenset(name for name, row in SIGNATURE_ALGORITHMS.items() if row.family != "oct")
REVOKED_TOKENS: Final = "revoked"
"""Namespace of the store's used keys in which revoked access tokens stand, by ``jti``."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of its sender: the headers ``Authorization`` and ``DPoP``, what the latter speaks of, and a
    certificate.
    """

    authorization: str | None = field(repr=False)
    dpop: str | None = field(repr=False)
    method: str
    url: str
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token that was verified; with `once`, it counts only if that has not been used before."""

    claims: VerifiedClaims
    once: UseOnce | None


def verified(shown: Shown, base_url: str, registry: Registry, now: float) -> Credentials:
    """The request's token: an access token of one of this server's realms, within its times, from who it is bound to.

    Does NOT look at the user, client or session: `admit` does.

    Raises:
        Unauthorized: there is none.
    """
    match = _CREDENTIALS.fullmatch(shown.authorization or "")
    if match is None:
        raise Unauthorized("no access token")
    try:
        token = parse(match["token"])
        name = _realm_of(token.claims, base_url)
        if name is None:
            raise Unauthorized("issued elsewhere, or reached by another host name")
        entry = registry.load_realm(name)
        if entry is None or not entry.realm.enabled:
            raise Unauthorized("its realm is gone or disabled")
        claims = verify(token, entry.realm.keys.verifying, _ASYMMETRIC)
        check_times(claims, now)
        possessed = match["token"] if match["dpop"] else None
        once = None
        if bound_tokens.names_certificate(confirmation := claims.get("cnf")):
            if not bound_tokens.is_shown(confirmation, shown.certificate):
                raise Unauthorized(bound_tokens.NO_MATCH)
        else:
            once = dpop.possession(shown.dpop, shown.method, shown.url, entry.realm.id, claims, possessed, now)
    except InvalidToken as error:
        raise Unauthorized(error.reason) from None
    except TokenRejected as rejected:
        raise Unauthorized(rejected.log) from None
    if claims.get("typ") not in {"Bearer", "DPoP"} or not isinstance(claims.get("sub", ""), str):
        raise Unauthorized("no access token")
    return Credentials(claims, once)


def admit(reader: Reader, claims: VerifiedClaims, base_url: str, now: float) -> Administrator:
    """Who the holder of the token is, by the state of `reader`.

    Raises:
        Unauthorized: the realm, client, user or session is gone, disabled or newer than the token.
    """
    name = _realm_of(claims, base_url)
    realm = None if name is None else reader.find(REALMS, None, realm=name)
    if realm is None or realm.enabled is not True:
        raise Unauthorized("its realm is gone or disabled")
    realm_id = str(realm.id)
    client = reader.find(CLIENTS, realm_id, client_id=str(claims.get("azp", "")))
    if client is None or client.enabled is not True:
        raise Unauthorized("its client is gone or disabled")
    user = _user(reader, realm_id, client, claims, now)
    if user is None or user.enabled is not True:
        raise Unauthorized("its user is gone or disabled")
    for document in (realm, client, user):
        if claims.get("iat", 0) < given(document.not_before, 0):
            raise Unauthorized("issued before not-before")
    if _revoked(reader, realm, claims, now):
        raise Unauthorized("revoked")
    origins = claims.get("allowed-origins")
    return Administrator(
        realm=realm,
        user=user,
        client=client,
        session_id=claims.get("sid"),
        web_origins=frozenset(origins if isinstance(origins, list) else ()),
    )


def _realm_of(claims: Mapping[str, Any], base_url: str) -> str | None:
    """The name of the realm that is the token's issuer at this address; None where it is none."""
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer.startswith(base_url):
        return None
    name = unquote(issuer.rpartition("/")[2])
    return name if issuer == base_url + realm_path(name) else None


def _user(
    reader: Reader, realm_id: str, client: ClientRepresentation, claims: Mapping[str, Any], now: float
) -> UserRepresentation | None:
    """The user of the token: its session's, which must still be there, or without one the client's own.

    ``sub`` is a mapper's to set, so that it decides nothing: whoever may edit a client would else be anybody. Only in
    a token that was exchanged no mapper has set it.
    """
    session_id, context = claims.get("sid"), context_of(str(claims.get("jti")))
    if session_id is not None:
        session = reader.get(SESSIONS, realm_id, str(session_id))
        if session is None or session.expires <= now:
            raise Unauthorized("its session has ended")
        if (context is None or context.needs_client_session) and client.id not in session.clients:
            raise Unauthorized("its client has left the session")
        user = reader.get(USERS, realm_id, session.user_id)
    elif context is not None and context.exchanged:
        user = reader.get(USERS, realm_id, str(claims.get("sub")))
    else:
        user = reader.find(USERS, realm_id, service_account_client=str(client.id))
    if user is not None and claims.get("sub", user.id) != user.id:
        raise Unauthorized("of another user than its session or client")
    return user


def _revoked(reader: Reader, realm: RealmRepresentation, claims: Mapping[str, Any], now: float) -> bool:
    namespace = f"{REVOKED_TOKENS}:{realm.id}"
    return reader.is_used(namespace, str(claims.get("jti")), int(now))
