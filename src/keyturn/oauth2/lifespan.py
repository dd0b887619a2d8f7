"""How long tokens and sessions last. All in seconds; times in epoch seconds."""

from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.oauth2.errors import Misconfigured
from keyturn.representations import given


def access_token_lifespan(realm: Realm, client: Client, *, session_remaining: int) -> int:
    """The client's ``access.token.lifespan``, else the realm's; -1 is the session's; never beyond the session.

    Raises:
        Misconfigured: the attribute is no number. It is refused when written, but may come with an import.

    Source: Keycloak ``TokenManager.getTokenExpiration``.
    """
    raw = client.attributes.get("access.token.lifespan")
    lifespan = realm.access_token_lifespan
    if raw:
        own = client.seconds("access.token.lifespan")
        if own is None:
            raise Misconfigured(log=f"access.token.lifespan of client {client.client_id} is no number")
        lifespan = own
    return session_remaining if lifespan == -1 else min(lifespan, session_remaining)


def session_lifespan(realm: Realm, client: Client) -> int:
    """The longest life of a client's session: its own or the realm's client setting, within the realm's SSO setting."""
    own = client.seconds("client.session.max.lifespan") or realm.client_session_max_lifespan
    return min(own, realm.sso_session_max_lifespan) if own > 0 else realm.sso_session_max_lifespan


def session_idle_timeout(realm: Realm, client: Client) -> int:
    """How long a client's session lives without a refresh."""
    own = client.seconds("client.session.idle.timeout") or realm.client_session_idle_timeout
    return min(own, realm.sso_session_idle_timeout) if own > 0 else realm.sso_session_idle_timeout


def session_ends(realm: Realm, client: Client, started: int, login: int, *, offline: bool) -> int:
    """When a client's part of a session, which `started` then in a session since `login`, ends at the latest."""
    if not offline:
        return min(started + session_lifespan(realm, client), login + realm.sso_session_max_lifespan)
    if realm.offline_session_max_lifespan is None:
        return _NEVER
    of_realm = given(realm.document.client_offline_session_max_lifespan, 0)
    own = client.seconds("client.offline.session.max.lifespan") or of_realm or realm.offline_session_max_lifespan
    return min(started + own, login + realm.offline_session_max_lifespan)


def refresh_lifespan(realm: Realm, client: Client, now: int, ends: int, *, offline: bool) -> int:
    """How long a refresh token issued `now` may wait to be used."""
    if offline:
        of_realm = given(realm.document.client_offline_session_idle_timeout, 0)
        own = client.seconds("client.offline.session.idle.timeout") or of_realm
        idle = min(own or realm.offline_session_idle_timeout, realm.offline_session_idle_timeout)
    else:
        idle = session_idle_timeout(realm, client)
    return min(idle, ends - now)


_NEVER = 2**40
