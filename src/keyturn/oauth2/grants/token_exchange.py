"""Standard token exchange (RFC 8693): a service gets a token of its own for one that it was called with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar, Final

from keyturn.jose.jwt import VerifiedClaims
from keyturn.model.client import Client
from keyturn.model.client_policy import Occasion, PolicyEvent
from keyturn.model.client_scope import OFFLINE_ACCESS
from keyturn.oauth2 import bound_tokens
from keyturn.oauth2.access_token import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, REFRESH_TOKEN_TYPE
from keyturn.oauth2.bearer import LiveToken, TokenRejected, live_token, question, read_token
from keyturn.oauth2.claims import access_token_claims, claims_context, is_lightweight, roles_within
from keyturn.oauth2.errors import AudienceDenied, InvalidClient, InvalidRequest, InvalidScope, OAuth2Error
from keyturn.oauth2.form import Form
from keyturn.oauth2.governed import govern
from keyturn.oauth2.lifespan import access_token_lifespan, session_ends, session_lifespan
from keyturn.oauth2.login import continue_session, uses_refresh_tokens
from keyturn.oauth2.protocol_mappers.claim import audiences
from keyturn.oauth2.scope import GrantedScopes, grant_scopes
from keyturn.oauth2.spi import (
    AuthenticatedClient,
    Authorization,
    CheckSubjectToken,
    Facts,
    Question,
    SessionClaims,
    SubjectTokenChecked,
    TokenRequest,
)
from keyturn.oauth2.token_context import TOKEN_EXCHANGE, SessionKind, TokenContext

_ENABLED: Final = "standard.token.exchange.enabled"
_REFRESH_TOKENS: Final = "standard.token.exchange.enableRefreshRequestedTokenType"
_SAME_SESSION: Final = "SAME_SESSION"
_SAML: Final = "urn:ietf:params:oauth:token-type:saml2"
_OF_OTHER_EXCHANGES: Final = ("requested_subject", "requested_issuer", "subject_issuer")
_UNSUPPORTED: Final = "requested_token_type unsupported"
_NEEDS_A_SESSION: Final = "Refresh token not valid as requested_token_type because creating a new session is needed"


class TokenExchange:
    """An access token that is for the client, or its own, becomes another one, for the same user and in its session.

    ``actor_token`` is not looked at, as in Keycloak; nor is ``resource`` but in realms that look at it with every grant
    (``oauth2.resource_indicators``).
    """

    grant_type: ClassVar = "urn:ietf:params:oauth:grant-type:token-exchange"
    parameters: ClassVar = frozenset(
        {"subject_token", "subject_token_type", "requested_token_type", "audience", "scope", "resource"}
    )
    repeatable: ClassVar = frozenset({"audience", "resource"})

    def question(self, request: TokenRequest, client: AuthenticatedClient) -> Question | None:
        """What the subject token stands on, and which of the audience there are.

        Raises:
            ClientPolicyViolation: a client policy forbids it.
            InvalidRequest: the client does not exchange tokens, a parameter is missing or not served, or the subject
                token is none that this realm has issued.
        """
        with _telling({}):
            _check_supported(request.form, client.client)
            _govern(request, client.client)
            return CheckSubjectToken(question(_subject_token(request)), request.form.all("audience"))

    def authorize(self, request: TokenRequest, client: AuthenticatedClient, facts: Facts | None) -> Authorization:
        """Decides what a client gets for somebody else's token, or for its own.

        Raises:
            InvalidRequest: the subject token counts for nothing; what is asked for cannot be had.
            InvalidClient: the client is public, or one of the audience is unknown or disabled.
            AudienceDenied: the subject token is not for the client.
            InvalidScope: a requested scope is not one of the client's, or somebody had to consent.

        Source: RFC 8693 §2; Keycloak ``StandardTokenExchangeProvider``.
        """
        if not isinstance(facts, SubjectTokenChecked):
            raise TypeError("a token exchange needs to know what its subject token stands on")
        own, form = client.client, request.form
        with _telling({}):
            try:
                live = live_token(_subject_token(request), request.clients, facts.token)
            except TokenRejected as rejected:
                raise _invalid_token(form, rejected) from None
        told = {"username": live.subject.username, "subject_token_client_id": live.client.client_id}
        with _telling(told, live):
            _check_bound(live.claims, own, request)
            told["requested_token_type"] = form.get("requested_token_type", ACCESS_TOKEN_TYPE)
            wanted = _requested_token_type(form, own)
            audience = tuple(dict.fromkeys(form.all("audience")))
            _check_audience(own, audience, facts.audience)
            _check_caller(own, live)
            scopes = _restricted(grant_scopes(own, form.get("scope")), _govern(request, own))
            if wanted == _SAML:
                raise InvalidRequest(_UNSUPPORTED)
            return _exchanged(request, own, live, wanted, audience, scopes, told)


def _check_supported(form: Form, own: Client) -> None:
    for name in _OF_OTHER_EXCHANGES:
        if name in form:
            raise InvalidRequest(f"Parameter '{name}' is not supported for standard token exchange")
    if not own.flag(_ENABLED):
        raise InvalidRequest("Standard token exchange is not enabled for the requested client")
    for name in ("subject_token", "subject_token_type"):
        if name not in form:
            raise InvalidRequest(f"Parameter '{name}' required for standard token exchange")
    if form["subject_token_type"] != ACCESS_TOKEN_TYPE:
        raise InvalidRequest("Parameter 'subject_token' supports access tokens only")


def _govern(request: TokenRequest, own: Client) -> Occasion | None:
    form, scope = request.form, request.form.get("scope")
    return govern(PolicyEvent.TOKEN_EXCHANGE_REQUEST, request.realm, own, form.get, request.issuer, scope)


def _restricted(scopes: GrantedScopes, occasion: Occasion | None) -> GrantedScopes:
    """`scopes` without those that the policies do not allow; the client's own then counts by its name, too."""
    if occasion is None or occasion.only_scopes is None:
        return scopes
    kept = [scope for scope in scopes.others if scope.name in occasion.only_scopes]
    return GrantedScopes(replace(scopes.own, mappers=(), roles=frozenset()), tuple(kept), scopes.openid)


def _subject_token(request: TokenRequest) -> VerifiedClaims:
    try:
        return read_token(request.form["subject_token"], request.realm, request.issuer, request.now)
    except TokenRejected as rejected:
        raise _invalid_token(request.form, rejected) from None


def _invalid_token(form: Form, rejected: TokenRejected) -> InvalidRequest:
    told = {"reason": "subject_token validation failure"}
    if requested := form.get("requested_token_type"):
        told["requested_token_type"] = requested
    return InvalidRequest("Invalid token", log=rejected.log or rejected.description, event="invalid_token", told=told)


def _check_bound(claims: VerifiedClaims, own: Client, request: TokenRequest) -> None:
    """Whoever holds a bound token must show its key (RFC 9449 §7.1, RFC 8705 §3)."""
    if "cnf" not in claims:
        return
    if claims.get("azp") != own.client_id:
        raise InvalidRequest(
            "Sender-constrained token exchange rejected as the token was not issued for the requesting client"
        )
    bound_tokens.check_confirmation(
        claims["cnf"], request.http, request.binding, InvalidRequest, event="invalid_dpop_proof"
    )


def _requested_token_type(form: Form, own: Client) -> str:
    wanted = form.get("requested_token_type", ACCESS_TOKEN_TYPE)
    if wanted in (ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, _SAML):
        return wanted
    refreshes = uses_refresh_tokens(own) and own.attributes.get(_REFRESH_TOKENS) == _SAME_SESSION
    if wanted == REFRESH_TOKEN_TYPE and refreshes:
        return wanted
    raise InvalidRequest(_UNSUPPORTED)


def _check_audience(own: Client, audience: tuple[str, ...], enabled: Mapping[str, bool]) -> None:
    for client_id in audience:
        if client_id not in enabled:
            told = {"reason": "audience not found", "audience": client_id}
            raise InvalidClient("Audience not found", status=400, event="client_not_found", told=told)
    if own.public:
        raise InvalidClient("Public client is not allowed to exchange token", status=400)
    for client_id in audience:
        if not enabled[client_id]:
            told = {"reason": "audience client disabled", "audience": client_id}
            raise InvalidClient("Client disabled", status=400, event="client_disabled", told=told)


def _check_caller(own: Client, live: LiveToken) -> None:
    """Whoever exchanges a token is in its audience, or is the client that it was issued to."""
    if own.id != live.client.id and own.client_id not in audiences(live.claims):
        told = {"reason": "client is not within the token audience"}
        raise AudienceDenied("Client is not within the token audience", event="not_allowed", told=told)


def _exchanged(
    request: TokenRequest,
    own: Client,
    live: LiveToken,
    wanted: str,
    audience: tuple[str, ...],
    scopes: GrantedScopes,
    told: Mapping[str, str],
) -> Authorization:
    """What the client gets; nothing of it is more than what the mappers give it for this user."""
    refreshable = wanted == REFRESH_TOKEN_TYPE
    if refreshable and (live.session is None or live.session.offline):
        raise InvalidRequest(_NEEDS_A_SESSION)
    scopes = scopes.permitted_by(roles_within(request.realm, live.subject, audience))
    if refreshable and any(scope.name == OFFLINE_ACCESS for scope in scopes.scopes):
        raise InvalidRequest("Scope offline_access not allowed for token exchange")
    if own.consent_required:
        raise InvalidScope(f"Missing consents for Token Exchange in client {own.client_id}", event="consent_denied")
    if refreshable and live.session is not None:
        authorization = continue_session(
            request, own, live.subject, scopes, live.session, grant=TOKEN_EXCHANGE, audience=audience
        )
    else:
        authorization = _without_refresh(request, own, live, scopes)
    authorization = replace(authorization, audience=audience, issued_token_type=wanted)
    there = _audience_of(request, own, authorization)
    missing = [client_id for client_id in audience if client_id not in there]
    if missing:
        raise InvalidRequest(f"Requested audience not available: {', '.join(missing)}")
    details = {"auth_method": "token_exchange", **told}
    return replace(authorization, told=details | {"audience": " ".join(there)} if there else details)


def _without_refresh(request: TokenRequest, own: Client, live: LiveToken, scopes: GrantedScopes) -> Authorization:
    """A token that needs no more than the session that there is; nothing is stored."""
    realm, session = request.realm, live.session
    if session is None:
        kind, remaining = SessionKind.TRANSIENT, session_lifespan(realm, own)
    else:
        mine = session.clients.get(own.id)
        started = request.now if mine is None else mine.started
        remaining = session_ends(realm, own, started, session.started, offline=session.offline) - request.now
        if session.offline:
            kind = SessionKind.OFFLINE_TRANSIENT_CLIENT
        else:
            kind = SessionKind.ONLINE_TRANSIENT_CLIENT if mine is None else SessionKind.ONLINE
    return Authorization(
        subject=live.subject,
        scopes=scopes,
        lifespan=access_token_lifespan(realm, own, session_remaining=remaining),
        token_id_prefix=TokenContext(kind, is_lightweight(own), TOKEN_EXCHANGE).prefix(),
        notes=live.notes,
        session=None if session is None else SessionClaims(session.id, request.now + remaining),
    )


def _audience_of(request: TokenRequest, own: Client, authorization: Authorization) -> list[str]:
    context = claims_context(request.realm, own, authorization, request.issuer)
    sid = None if authorization.session is None else authorization.session.sid
    return list(audiences(access_token_claims(context, sid=sid, exchanged=True)))


@contextmanager
def _telling(told: Mapping[str, str], live: LiveToken | None = None) -> Iterator[None]:
    """Has the event of a refusal within say whose token was to be exchanged; `told` as it is then."""
    try:
        yield
    except OAuth2Error as error:
        error.trace.details |= {"auth_method": "token_exchange", **told}
        if live is not None:
            error.trace.user_id = live.subject.id
            error.trace.session_id = None if live.session is None else live.session.id
        raise
