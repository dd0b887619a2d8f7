"""The refresh token grant (RFC 6749 §6)."""

from dataclasses import replace
from typing import ClassVar

from keyturn.jose import jwt
from keyturn.model.client import Client
from keyturn.model.client_policy import PolicyEvent
from keyturn.model.client_scope import OFFLINE_ACCESS
from keyturn.model.user_session import ClientSession
from keyturn.oauth2 import bound_tokens
from keyturn.oauth2.claims import offline_allowed
from keyturn.oauth2.errors import InvalidGrant, InvalidRequest
from keyturn.oauth2.governed import govern, governed_client
from keyturn.oauth2.login import continue_session
from keyturn.oauth2.refresh import RefreshClaims, read_refresh_token
from keyturn.oauth2.scope import grant_scopes, restore_scopes
from keyturn.oauth2.spi import (
    AuthenticatedClient,
    Authorization,
    EndClientSession,
    Facts,
    FindSession,
    Question,
    Refused,
    SessionFound,
    TokenRequest,
)


class RefreshToken:
    """A refresh token becomes a new access token, as long as its session lives."""

    grant_type: ClassVar = "refresh_token"
    parameters: ClassVar = frozenset({"refresh_token", "scope"})
    repeatable: ClassVar[frozenset[str]] = frozenset()

    def question(self, request: TokenRequest, client: AuthenticatedClient) -> Question | None:
        """Whether the session lives.

        Raises:
            InvalidRequest: there is no refresh token.
            InvalidScope: a requested scope is not one of the client's.
            ClientPolicyViolation: a client policy forbids it.
            InvalidGrant: the token is broken, expired, or another client's.
        """
        _, token = self._token(request, client.client)
        return FindSession(token.sid)

    def authorize(self, request: TokenRequest, client: AuthenticatedClient, facts: Facts | None) -> Authorization:
        """Decides what the holder of a refresh token gets.

        Raises:
            InvalidGrant: the session has ended, the user is disabled, or the token is stale.
            Refused: the token was used too often.

        Source: RFC 6749 §6; Keycloak ``RefreshTokenGrantType``, ``TokenManager.validateToken``.
        """
        own, token = self._token(request, client.client)
        told = {"refresh_token_id": token.jti, "refresh_token_type": token.type}
        if token.sub is not None:
            told["refresh_token_sub"] = token.sub
        try:
            authorization = _continued(request, own, token, facts)
        except (InvalidGrant, Refused) as error:
            error.trace.session_id = token.sid
            error.trace.details.update(told)
            raise
        told["age_of_refresh_token"] = str(request.now - token.issued_at)
        response = govern(
            PolicyEvent.TOKEN_REFRESH_RESPONSE, request.realm, own, request.form.get, request.issuer, token.scope
        )
        if response is not None and response.keeps_refresh_token:
            authorization = replace(authorization, refresh=None)
        return replace(authorization, told=told, client=own, resources=token.resources)

    def _token(self, request: TokenRequest, client: Client) -> tuple[Client, RefreshClaims]:
        """The client as policies have it issued tokens, and its token."""
        raw = request.form.get("refresh_token")
        if raw is None:
            raise InvalidRequest("No refresh token", kept=False)
        scope = request.form.get("scope")
        grant_scopes(client, scope)
        occasion = govern(
            PolicyEvent.TOKEN_REFRESH,
            request.realm,
            client,
            request.form.get,
            request.issuer,
            scope,
            proof=request.http.dpop is not None,
            certificate=request.http.certificate is not None,
        )
        try:
            token = read_refresh_token(raw, request.realm, request.issuer)
        except jwt.InvalidToken as error:
            raise InvalidGrant("Invalid refresh token", log=str(error)) from None
        if token.client_id != client.client_id:
            raise InvalidGrant("Invalid refresh token. Token client and authorized client don't match")
        if token.expires_at is not None and token.expires_at <= request.now:
            raise InvalidGrant("Token is not active")
        if token.issued_at < max(request.realm.not_before, client.not_before):
            raise InvalidGrant("Stale token")
        bound_tokens.check_confirmation(token.confirmation, request.http, request.binding)
        return governed_client(occasion, client), token


def _continued(request: TokenRequest, own: Client, token: RefreshClaims, facts: Facts | None) -> Authorization:
    realm = request.realm
    if not isinstance(facts, SessionFound) or facts.session is None or facts.subject is None:
        raise InvalidGrant("Offline user session not found" if token.offline else "Session not active")
    session, subject = facts.session, facts.subject
    if not subject.enabled:
        raise InvalidGrant("User disabled")
    if token.issued_at < subject.not_before:
        raise InvalidGrant("Stale token")
    known = session.clients.get(own.id)
    if known is None:
        raise InvalidGrant("Session doesn't have required client")
    uses = 1
    if realm.revoke_refresh_token:
        uses = _count_use(token, known, realm.refresh_token_max_reuse, session.id, own.id)
    kept = restore_scopes(own, token.scope)
    scopes = restore_scopes(own, token.scope, request.form.get("scope"))
    if session.offline and not (_may_go_offline(own) and offline_allowed(realm, own, kept, subject)):
        raise InvalidGrant("Offline session invalid because offline access not granted anymore")
    return continue_session(
        request, own, subject, scopes, session, used=token.jti, uses=uses, kept=kept, audience=token.audience
    )


def _may_go_offline(own: Client) -> bool:
    return any(scope.name == OFFLINE_ACCESS for scope in (*own.default_scopes, *own.optional_scopes.values()))


def _count_use(token: RefreshClaims, known: ClientSession, maximum: int, session_id: str, client_id: str) -> int:
    """How often `token` has been used with this use. Source: Keycloak ``TokenManager.validateTokenReuse``."""
    if token.jti == known.used_refresh_token:
        if known.refresh_token_uses <= maximum:
            return known.refresh_token_uses + 1
        # Somebody else may hold this token: nobody goes on with it (RFC 9700 §4.14.2).
        reuse = InvalidGrant("Maximum allowed refresh token reuse exceeded")
        raise Refused(reuse, (EndClientSession(session_id, client_id),))
    if token.jti != known.newest_refresh_token and (maximum == 0 or token.issued_at < known.refreshed):
        raise InvalidGrant("Stale token")
    return 1
