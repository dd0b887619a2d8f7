"""From a login or a refresh to the session and the tokens that follow from it."""

from collections.abc import Mapping
from dataclasses import replace

from keyturn.model.client import Client
from keyturn.model.client_scope import OFFLINE_ACCESS
from keyturn.model.subject import Subject
from keyturn.model.user_session import ClientSession, UserSession
from keyturn.oauth2.claims import is_lightweight, offline_allowed
from keyturn.oauth2.errors import NotAllowed
from keyturn.oauth2.identifiers import new_id, new_session_id
from keyturn.oauth2.lifespan import access_token_lifespan, refresh_lifespan, session_ends
from keyturn.oauth2.scope import GrantedScopes
from keyturn.oauth2.spi import Authorization, Refresh, SaveSession, SessionClaims, TokenRequest
from keyturn.oauth2.token_context import SessionKind, TokenContext
from keyturn.representations import given


def start_session(
    request: TokenRequest,
    client: Client,
    subject: Subject,
    scopes: GrantedScopes,
    *,
    grant: str,
    notes: Mapping[str, str] | None = None,
    refreshable: bool | None = None,
) -> Authorization:
    """What one gets who has just logged in: a new session, to be stored before the tokens are signed.

    Args:
        grant: its two letters in the token's id (Keycloak ``OAuth2GrantType.getShortcut``).
        refreshable: whether there is a refresh token; by default, whether the client uses them.

    Raises:
        NotAllowed: an offline session is asked for without the right to one.
    """
    offline = any(scope.name == OFFLINE_ACCESS for scope in scopes.scopes)
    if offline and not offline_allowed(request.realm, client, scopes, subject):
        raise NotAllowed("Offline tokens not allowed for the user or client")
    session = UserSession(
        id=new_session_id(request.random),
        user_id=subject.id,
        username=subject.username,
        address=request.http.address,
        started=request.now,
        refreshed=request.now,
        expires=request.now,
        offline=offline,
        notes=dict(notes or {}),
        clients={},
    )
    if refreshable is None:
        refreshable = uses_refresh_tokens(client)
    return _authorize(request, client, subject, scopes, session, grant=grant, used="", uses=0, refreshable=refreshable)


def continue_session(
    request: TokenRequest,
    client: Client,
    subject: Subject,
    scopes: GrantedScopes,
    session: UserSession,
    *,
    grant: str = "rt",
    used: str = "",
    uses: int = 0,
    kept: GrantedScopes | None = None,
    audience: tuple[str, ...] = (),
) -> Authorization:
    """What one gets in a session that is there.

    A refresh is the `uses`-th one with the refresh token whose ``jti`` is `used`; the new one can give the scopes
    `kept` again. A token exchange has no such token yet; the new one keeps the `audience` that was asked for.
    """
    authorization = _authorize(
        request,
        client,
        subject,
        scopes,
        session,
        grant=grant,
        used=used,
        uses=uses,
        refreshable=uses_refresh_tokens(client),
        kept=kept,
    )
    refresh = authorization.refresh
    if refresh is None or not audience:
        return authorization
    return replace(authorization, refresh=replace(refresh, audience=audience))


def uses_refresh_tokens(client: Client) -> bool:
    """Whether the client gets refresh tokens in sessions of people."""
    return client.attributes.get("use.refresh.tokens") != "false"


def _authorize(
    request: TokenRequest,
    client: Client,
    subject: Subject,
    scopes: GrantedScopes,
    session: UserSession,
    *,
    grant: str,
    used: str,
    uses: int,
    refreshable: bool,
    kept: GrantedScopes | None = None,
) -> Authorization:
    realm, now = request.realm, request.now
    scopes = scopes.permitted(subject)
    kept = scopes if kept is None else kept.permitted(subject)
    earlier = session.clients.get(client.id)
    started = earlier.started if earlier else now
    ends = session_ends(realm, client, started, session.started, offline=session.offline)
    waits = refresh_lifespan(realm, client, now, ends, offline=session.offline)
    refresh = None
    if refreshable:
        endless = session.offline and realm.offline_session_max_lifespan is None
        lifespan = None if endless else waits
        refresh = Refresh(new_id(request.random), lifespan, kept.names(), offline=session.offline)
    mine = ClientSession(
        started=started,
        refreshed=now,
        scope=kept.names(),
        newest_refresh_token=refresh.jti if refresh else "",
        used_refresh_token=used,
        refresh_token_uses=uses,
    )
    saved = UserSession(
        id=session.id,
        user_id=session.user_id,
        username=session.username,
        address=session.address,
        started=session.started,
        refreshed=now,
        expires=max(session.expires, now + waits),
        offline=session.offline,
        notes=session.notes,
        clients=session.clients | {client.id: mine},
    )
    kind = SessionKind.OFFLINE if session.offline else SessionKind.ONLINE
    return Authorization(
        subject=subject,
        scopes=scopes,
        lifespan=access_token_lifespan(realm, client, session_remaining=ends - now),
        token_id_prefix=TokenContext(kind, is_lightweight(client), grant).prefix(),
        notes=given(session.notes, {}),
        session=SessionClaims(session.id, ends),
        refresh=refresh,
        answered=kept if session.offline else None,
        id_token=kept.openid,
        effects=(SaveSession(saved, replaces=session if session.clients else None),),
    )
