"""Token revocation (RFC 7009): an access token alone, a refresh token with the client's part of its session."""

from typing import Final

from keyturn.jose import jwt
from keyturn.jose.jwt import VerifiedClaims
from keyturn.model.client import Client
from keyturn.model.client_policy import PolicyEvent
from keyturn.model.realm import Realm
from keyturn.oauth2 import cors, dpop
from keyturn.oauth2 import form as forms
from keyturn.oauth2.bearer import ACCESS_TOKEN_TYPES, TokenRejected, read_token
from keyturn.oauth2.client_authentication import authenticate, tell_of, telling_of, usable
from keyturn.oauth2.errors import ClientPolicyViolation, InvalidRequest, UnsupportedTokenType
from keyturn.oauth2.governed import govern
from keyturn.oauth2.http_message import Request, Response, json_response
from keyturn.oauth2.refresh import read_refresh_token
from keyturn.oauth2.spi import (
    Answer,
    AuthenticatedClient,
    Clients,
    Effect,
    EndClientSession,
    EndSession,
    Facts,
    FindSession,
    Pending,
    RevokeToken,
    SessionFound,
)
from keyturn.oauth2.trace import Trace

_ID_TOKEN: Final = "ID"
_REVOKED: Final = Response(200)
_INVALID_TOKEN: Final = json_response(200, {"error": "invalid_token", "error_description": "Invalid token"})
"""Status 200: the caller has what it wanted, the token is worth nothing (RFC 7009 §2.2)."""


def revoke(http: Request, realm: Realm, clients: Clients, now: int, facts: Facts | None) -> Answer | Pending:
    """Makes the token worth nothing. ``token_type_hint`` does not matter: the token tells what it is.

    Raises:
        OAuth2Error: the caller did not authenticate, the request is malformed, or the token is another client's.
        cors.InvalidOrigin: a page of this origin may not use the client.
        Miss: the client is not in memory.

    Source: Keycloak ``TokenRevocationEndpoint``.
    """
    form = forms.parse(http.content_type, http.body)
    known = authenticate(http, form, clients, realm, now)
    client = known.client
    with telling_of(known):
        usable(client)
        cors.check(http, client)
        token = form.get("token")
        if form.repeated:
            raise InvalidRequest("duplicated parameter")
        issuer = f"{http.base_url}{realm.path}"
        occasion = govern(
            PolicyEvent.TOKEN_REVOKE,
            realm,
            client,
            form.get,
            issuer,
            proof=http.dpop is not None,
            certificate=http.certificate is not None,
        )
        if occasion is not None and occasion.needs_possession:
            _check_possession(http, realm, known, clients, now, token)
        if token is None:
            raise InvalidRequest("Token not provided")
        answer = _revoked(token, known, realm, issuer, now, facts)
        if isinstance(answer, Answer) and answer.effects:
            govern(PolicyEvent.TOKEN_REVOKE_RESPONSE, realm, client, form.get, issuer)
        return answer


def _check_possession(
    http: Request, realm: Realm, known: AuthenticatedClient, clients: Clients, now: int, token: str | None
) -> None:
    """That the DPoP proof is of the key that the token is bound to. Raises ClientPolicyViolation.

    Source: Keycloak ``DPoPBindEnforcerExecutor.checkTokenRevoke``.
    """
    try:
        shown = dpop.binding(http, realm, known, clients, now)
    except InvalidRequest as error:
        raise ClientPolicyViolation("invalid_dpop_proof", error.description) from None
    try:
        confirmation = jwt.parse(token or "").claims.get("cnf")
    except jwt.InvalidToken:
        return
    if shown is None:
        return
    if not isinstance(confirmation, dict) or confirmation.get("jkt") != shown.confirmation["jkt"]:
        raise ClientPolicyViolation("invalid_token", "DPoP proof and token binding verification failed")


def _revoked(
    token: str, known: AuthenticatedClient, realm: Realm, issuer: str, now: int, facts: Facts | None
) -> Answer | Pending:
    try:
        claims = read_token(token, realm, issuer, now, ACCESS_TOKEN_TYPES | {_ID_TOKEN})
    except TokenRejected:
        return _refresh_token(token, known, realm, issuer, facts)
    if claims["typ"] == _ID_TOKEN:
        raise UnsupportedTokenType("Unsupported token type")
    return _access_token(claims, known)


def _access_token(claims: VerifiedClaims, known: AuthenticatedClient) -> Answer:
    _same_client(claims.get("azp", ""), known.client)
    token_id = claims.get("jti", "")
    # A second longer than it lives, since its expiry is that of a second.
    effect = RevokeToken(token_id, int(claims["exp"]) + 1)
    trace = Trace(user_id=claims.get("sub"), details={"token_id": token_id})
    return _answer(_REVOKED, known, trace, effect)


def _refresh_token(
    token: str, known: AuthenticatedClient, realm: Realm, issuer: str, facts: Facts | None
) -> Answer | Pending:
    try:
        refresh = read_refresh_token(token, realm, issuer)
    except jwt.InvalidToken:
        return _answer(_INVALID_TOKEN, known, Trace("invalid_token"))
    client = known.client
    _same_client(refresh.client_id, client)
    if not isinstance(facts, SessionFound):
        return Pending(FindSession(refresh.sid))
    session = facts.session
    if session is None or client.id not in session.clients:
        return _answer(_INVALID_TOKEN, known, Trace("user_session_not_found"))
    alone = len(session.clients) == 1
    effect: Effect = EndSession(session.id) if alone else EndClientSession(session.id, client.id)
    told = {
        "refresh_token_type": refresh.type,
        "refresh_token_id": refresh.jti,
        "revoked_client": client.client_id,
    }
    return _answer(_REVOKED, known, Trace(user_id=session.user_id, session_id=session.id, details=told), effect)


def _answer(response: Response, known: AuthenticatedClient, trace: Trace, *effects: Effect) -> Answer:
    tell_of(known, trace)
    return Answer(response, effects, trace)


def _same_client(issued_to: str, client: Client) -> None:
    if issued_to != client.client_id:
        raise InvalidRequest("Unmatching clients")
