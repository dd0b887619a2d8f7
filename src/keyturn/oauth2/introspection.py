"""Token introspection (RFC 7662): what a token says now, for a resource server that is in its audience.

The claims come from the mappers as they are at this moment, from roles and attributes as they are at this moment.
"""

from collections.abc import Mapping
from math import inf
from typing import Any, Final

from keyturn.jose import jwt
from keyturn.model.client import Client
from keyturn.model.client_policy import PolicyEvent
from keyturn.model.realm import Realm
from keyturn.model.subject import Subject
from keyturn.oauth2 import form as forms
from keyturn.oauth2.access_token import NoKey, signing_key
from keyturn.oauth2.bearer import ACCESS_TOKEN_TYPES, LiveToken, TokenRejected, live_token, question, read_token
from keyturn.oauth2.claims import access_token_target, narrowed, roles_in_scope
from keyturn.oauth2.client_authentication import authenticate, tell_of, telling_of
from keyturn.oauth2.client_authentication.client_secret import ClientSecret
from keyturn.oauth2.errors import ClientPolicyViolation, InvalidClient, InvalidRequest, UnauthorizedClient
from keyturn.oauth2.governed import govern
from keyturn.oauth2.http_message import Headers, Request, json_response
from keyturn.oauth2.protocol_mappers import Claims, ClaimsContext, Target, apply_mappers
from keyturn.oauth2.protocol_mappers.claim import audiences
from keyturn.oauth2.refresh import RefreshClaims, read_refresh_token
from keyturn.oauth2.scope import GrantedScopes, restore_scopes
from keyturn.oauth2.spi import Answer, AuthenticatedClient, CheckToken, Clients, Facts, Pending, Rests, TokenChecked
from keyturn.oauth2.token_context import context_of
from keyturn.oauth2.trace import Trace
from keyturn.representations import encode, given

_TYPES: Final = ACCESS_TOKEN_TYPES | {"ID"}
_REFRESH_HINT: Final = "refresh_token"
_PERMISSION_HINT: Final = "requesting_party_token"
_HINTS: Final = frozenset({"access_token", _REFRESH_HINT, _PERMISSION_HINT})
_HEADERS: Final[Headers] = ((b"cache-control", b"no-cache"),)
_INACTIVE: Final = json_response(200, {"active": False}, _HEADERS)
_OWN_CLAIMS: Final = ("exp", "iat", "jti", "iss", "aud", "sub", "typ", "azp", "sid", "cnf", "scope")
"""What the token itself says. Everything else is worked out anew."""

_PERMISSION_CLAIMS: Final = ("exp", "iat", "jti", "aud", "typ", "acr")
_ALLOW_JWT: Final = "client.introspection.response.allow.jwt.claim.enabled"


def introspect(http: Request, realm: Realm, clients: Clients, now: int, facts: Facts | None) -> Answer | Pending:
    """What the token says, or that it is not active: broken, expired, revoked, ended, or not for the caller.

    Raises:
        OAuth2Error: the caller is no confidential client, or the request is malformed.
        Miss: a client is not in memory.
        Asked: the caller's credentials cannot be judged yet.

    Source: Keycloak ``TokenIntrospectionEndpoint``.
    """
    form = forms.parse(http.content_type, http.body)
    known = _caller(http, form, clients, realm, now)
    caller = known.client
    with telling_of(known):
        token, hint = _asked(form, caller)
        if realm.client_policies:
            _check_policies(form, caller, realm, f"{http.base_url}{realm.path}")
    trace = Trace()
    tell_of(known, trace)
    checked = facts if isinstance(facts, TokenChecked) else None
    issuer = f"{http.base_url}{realm.path}"
    try:
        if hint == _REFRESH_HINT:
            return _refresh_token(token, caller, realm, clients, issuer, now, checked)
        claims = read_token(token, realm, issuer, now, _TYPES)
        _tell(trace, claims)
        context = context_of(claims.get("jti", ""))
        lightweight = context is not None and context.lightweight
        if not lightweight and caller.client_id not in audiences(claims):
            raise TokenRejected(log=_not_for(caller))
        asked = question(claims)
        checked = checked or clients.known_of(asked)
        if checked is None:
            return Pending(asked)
        live = live_token(claims, clients, checked)
        # What a lightweight token leaves to be told here may be for whom it is.
        if lightweight and caller.client_id not in audiences(_told(live, realm, issuer)):
            raise TokenRejected(log=_not_for(caller))
    except TokenRejected as rejected:
        rejected.tell(trace)
        return Answer(_INACTIVE, trace=trace)
    trace.user_id = live.subject.id
    if hint == _PERMISSION_HINT:
        shown = {name: claims[name] for name in _PERMISSION_CLAIMS if name in claims}
        return Answer(json_response(200, shown | {"active": True}, _HEADERS), trace=trace)
    document = _access_token(live, caller, realm, issuer, http)
    if isinstance(document, Pending):
        return document
    rests = _rests(caller, live, now) if live.session is None and "jwt" not in document else None
    return Answer(json_response(200, document, _HEADERS), trace=trace, rests=rests)


def _rests(caller: Client, live: LiveToken, now: int) -> Rests | None:
    """What was said of a token without a session; None where the caller proves itself anew each time."""
    if caller.authenticator != ClientSecret.authenticator or question(live.claims).user_id is not None:
        return None
    until = min(live.claims.get("exp", inf), caller.secrets_until(now))
    return Rests((caller, live.client), until, live.claims.get("jti"))


def _asked(form: forms.Form, caller: Client) -> tuple[str, str]:
    """The token and what it is said to be."""
    if caller.public:
        raise InvalidRequest("Client not allowed.", status=403, told={"detail": "Client not allowed."})
    token = form.get("token")
    hint = form.get("token_type_hint", "access_token")
    if form.repeated:
        raise _malformed("duplicated parameter")
    if token is None:
        raise _malformed("Token not provided.")
    if hint not in _HINTS:
        raise _malformed("Unsupported token type.")
    return token, hint


def _check_policies(form: forms.Form, caller: Client, realm: Realm, issuer: str) -> None:
    """Raises InvalidRequest, whatever the code of the refusal is."""
    try:
        govern(PolicyEvent.TOKEN_INTROSPECT, realm, caller, form.get, issuer)
    except ClientPolicyViolation as violation:
        told = violation.trace.details
        raise InvalidRequest(violation.description, event=violation.error, told=told) from None


def _malformed(text: str) -> InvalidRequest:
    return InvalidRequest(text, told={"detail": text})


def _not_for(caller: Client) -> str:
    return f"Client '{caller.client_id}' is not in the token audience"


def _tell(trace: Trace, claims: Mapping[str, Any]) -> None:
    trace.user_id, trace.session_id = claims.get("sub"), claims.get("sid")
    trace.details |= {
        "token_issued_for": claims.get("azp", ""),
        "token_id": claims.get("jti", ""),
        "token_type": claims["typ"],
    }


def _caller(http: Request, form: forms.Form, clients: Clients, realm: Realm, now: int) -> AuthenticatedClient:
    try:
        return authenticate(http, form, clients, realm, now)
    except UnauthorizedClient as error:
        if error.http_status != UnauthorizedClient.status:
            raise
        failed = InvalidClient("Client authentication failed.", log=error.log)
        failed.trace = error.trace
        raise failed from None


def _told(live: LiveToken, realm: Realm, issuer: str) -> dict[str, Any]:
    """The claims of an access token, those among them that the mappers give to introspection."""
    own = {name: live.claims[name] for name in _OWN_CLAIMS if name in live.claims}
    scopes = restore_scopes(live.client, live.claims.get("scope", "")).permitted(live.subject)
    context = _context(realm, live.client, live.subject, scopes, issuer, live.notes)
    told = _claims(own, context)
    return _for_no_more(told, live, context) if realm.strictness.resources else told


def _for_no_more(told: dict[str, Any], live: LiveToken, context: ClaimsContext) -> dict[str, Any]:
    """What is `told` of a token, for those alone that it was narrowed to (RFC 8707 §2): mappers tell of everybody."""
    own = frozenset(audiences(live.claims))
    if own.issuperset(audiences(told)):
        return told
    of_token = context_of(live.claims.get("jti", ""))
    lightweight = of_token is not None and of_token.lightweight
    whole = Claims({})
    apply_mappers(whole, context, Target.LIGHTWEIGHT_ACCESS_TOKEN if lightweight else Target.ACCESS_TOKEN)
    return told if own.issuperset(audiences(whole.members)) else narrowed(told, own)


def _access_token(
    live: LiveToken, caller: Client, realm: Realm, issuer: str, http: Request
) -> dict[str, Any] | Pending:
    claims = _told(live, realm, issuer)
    answer = claims | _about(claims, live.client, live.subject)
    if caller.flag(_ALLOW_JWT) and http.accept == "application/jwt":
        try:
            key = signing_key(realm, caller)
        except NoKey as error:
            return error.pending
        header = {"alg": key.algorithm, "typ": "JWT", "kid": key.kid}
        answer["jwt"] = jwt.encode(header, encode(claims), key).decode()
    return answer


def _refresh_token(
    token: str, caller: Client, realm: Realm, clients: Clients, issuer: str, now: int, facts: TokenChecked | None
) -> Answer | Pending:
    """A refresh token tells only the client that it was issued to, whoever the access tokens are for that it gives."""
    try:
        refresh = read_refresh_token(token, realm, issuer)
    except jwt.InvalidToken as error:
        raise TokenRejected(log=error.reason) from None
    if refresh.expires_at is not None and refresh.expires_at <= now:
        raise TokenRejected(log="expired")
    if facts is None:
        return Pending(CheckToken(refresh.jti, refresh.sid))
    client = clients.by_client_id(refresh.client_id)
    session, subject = facts.session, facts.subject
    if client is None or not client.enabled:
        raise TokenRejected(log="its client is gone or disabled")
    if session is None or subject is None or not subject.enabled or client.id not in session.clients:
        raise TokenRejected(log="its session has ended, or its user is disabled")
    if refresh.issued_at < max(realm.not_before, client.not_before, subject.not_before):
        raise TokenRejected(log="issued before a not-before")
    scopes = restore_scopes(client, refresh.scope).permitted(subject)
    context = _context(realm, client, subject, scopes, issuer, given(session.notes, {}))
    if caller.client_id != client.client_id:
        raise TokenRejected(log=_not_for(caller))
    access = Claims({})
    apply_mappers(access, context, access_token_target(client))
    audience = [issuer, *audiences(access.members)]
    own = _own_refresh_claims(refresh, subject, issuer, audience)
    claims = _claims(own, context)
    # Keycloak keeps no event of it.
    return Answer(json_response(200, claims | _about(claims, client, subject), _HEADERS))


def _own_refresh_claims(refresh: RefreshClaims, subject: Subject, issuer: str, audience: list[str]) -> dict[str, Any]:
    times = {} if refresh.expires_at is None else {"exp": refresh.expires_at}
    return times | {
        "iat": refresh.issued_at,
        "jti": refresh.jti,
        "iss": issuer,
        "aud": audience,
        "sub": subject.id,
        "typ": "Offline" if refresh.offline else "Refresh",
        "azp": refresh.client_id,
        "sid": refresh.sid,
        "scope": refresh.scope,
    }


def _context(
    realm: Realm,
    client: Client,
    subject: Subject,
    scopes: GrantedScopes,
    issuer: str,
    notes: Mapping[str, str],
) -> ClaimsContext:
    """`notes` are those of a stored session; of a client's own, as its address, nothing is kept."""
    return ClaimsContext(realm, client, subject, scopes, notes, issuer, roles_in_scope(client, scopes, subject))


def _claims(own: dict[str, Any], context: ClaimsContext) -> dict[str, Any]:
    claims = Claims(own)
    apply_mappers(claims, context, Target.INTROSPECTION)
    return claims.members


def _about(claims: Mapping[str, Any], client: Client, subject: Subject) -> dict[str, Any]:
    """RFC 7662 §2.2."""
    return {
        "client_id": client.client_id,
        "username": claims.get("username", subject.username),
        "token_type": claims["typ"],
        "active": True,
    }
