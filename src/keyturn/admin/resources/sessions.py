"""Logins of people: those of a user, of a client, of the realm.

Source: Keycloak ``UserResource``, ``ClientResource``, ``RealmAdminResource``.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.admin_events import ACTION, Located, Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.applications import logged_out
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.paging import slice_of
from keyturn.admin.permissions import MANAGE_USERS, VIEW_CLIENTS, VIEW_REALM, VIEW_USERS
from keyturn.admin.query import Paging, Query
from keyturn.admin.resource import Resource
from keyturn.admin.user_sessions import LiveSession, end_sessions, live_sessions, session_documents, sessions_of
from keyturn.representations import replace
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, REALMS, SESSIONS, USERS

__all__ = ["client_sessions", "realm_sessions", "user_sessions"]

user_sessions: Final = Resource("user sessions", located=("user",))
client_sessions: Final = Resource("client sessions", located=("client",))
realm_sessions: Final = Resource("realm sessions")

_PAGE: Final = 100
"""Sessions of a client in one answer, unless the query says how many."""


@user_sessions.get("sessions", needs=VIEW_USERS)
def get_sessions(realm: RealmView, user: UserRepresentation) -> list[dict[str, Any]]:
    """The user's sessions."""
    return session_documents(realm, sessions_of(realm, user, offline=False))


@user_sessions.get("offline-sessions/{client_id}", needs=VIEW_USERS)
def get_offline_sessions(realm: RealmView, user: UserRepresentation, client_id: str) -> list[dict[str, Any]]:
    """The user's offline sessions with a client."""
    if realm.reader.get(CLIENTS, realm.id, client_id) is None:
        raise NotFound("Client not found")
    offline = sessions_of(realm, user, offline=True)
    return session_documents(realm, [session for session in offline if client_id in session.clients])


@user_sessions.get("consents", needs=VIEW_USERS)
def get_consents(realm: RealmView, user: UserRepresentation) -> list[dict[str, Any]]:
    """What the user has agreed to: offline sessions, as there are no pages to agree at."""
    ids = dict.fromkeys(client for session in sessions_of(realm, user, offline=True) for client in session.clients)
    return [
        {
            "clientId": client.client_id,
            "grantedClientScopes": [],
            "additionalGrants": [{"client": client.id, "key": "Offline Token"}],
        }
        for client in realm.reader.get_many(CLIENTS, realm.id, ids)
    ]


@user_sessions.post("logout", needs=MANAGE_USERS, event=Recorded("USER", ACTION))
def logout(realm: RealmAdmin, user: UserRepresentation) -> NoContent:
    """Ends the user's sessions but the offline ones; tokens from before do not count any more."""
    end_sessions(realm, user, offline=False)
    realm.update(USERS, replace(user, not_before=realm.now()))
    return NoContent()


@client_sessions.get("session-count", needs=VIEW_CLIENTS)
def count_sessions(realm: RealmView, client: ClientRepresentation) -> dict[str, int]:
    """How many sessions there are with this client."""
    return {"count": len(_with_client(realm, client, offline=False))}


@client_sessions.get("offline-session-count", needs=VIEW_CLIENTS)
def count_offline_sessions(realm: RealmView, client: ClientRepresentation) -> dict[str, int]:
    """How many offline sessions there are with this client."""
    return {"count": len(_with_client(realm, client, offline=True))}


@client_sessions.get("user-sessions", needs=VIEW_CLIENTS)
def get_user_sessions(realm: RealmView, client: ClientRepresentation, query: Paging) -> list[dict[str, Any]]:
    """A page of the sessions with this client."""
    return _page(realm, _with_client(realm, client, offline=False), query)


@client_sessions.get("offline-sessions", needs=VIEW_CLIENTS)
def get_user_offline_sessions(realm: RealmView, client: ClientRepresentation, query: Paging) -> list[dict[str, Any]]:
    """A page of the offline sessions with this client."""
    return _page(realm, _with_client(realm, client, offline=True), query)


def _with_client(realm: RealmView, client: ClientRepresentation, *, offline: bool) -> list[LiveSession]:
    return [each for each in live_sessions(realm) if each.offline is offline and str(client.id) in each.clients]


def _page(realm: RealmView, sessions: list[LiveSession], query: Paging) -> list[dict[str, Any]]:
    page = slice_of(sessions, query.first, _PAGE if query.max is None else query.max)
    return session_documents(realm, realm.reader.get_many(SESSIONS, realm.id, [each.id for each in page]))


@realm_sessions.get("client-session-stats", needs=VIEW_REALM)
def get_client_session_stats(realm: RealmView) -> list[dict[str, str]]:
    """The numbers of sessions by client, where there are any."""
    active, offline = Counter[str](), Counter[str]()
    for session in live_sessions(realm):
        (offline if session.offline else active).update(session.clients.keys())
    return [
        {
            "offline": str(offline[str(client.id)]),
            "clientId": str(client.client_id),
            "active": str(active[str(client.id)]),
            "id": str(client.id),
        }
        for client in realm.reader.get_many(CLIENTS, realm.id, active | offline)
    ]


@dataclass(frozen=True, slots=True)
class SessionQuery(Query):
    """Which kind of session is meant."""

    is_offline: bool = False


def _kind(realm: RealmView, values: Located, _body: Any) -> dict[str, bool] | None:
    session = realm.reader.get(SESSIONS, realm.id, values["session_id"])
    return None if session is None else {"offline": session.offline}


@realm_sessions.delete("sessions/{session_id}", needs=MANAGE_USERS, event=Recorded("USER_SESSION", shows=_kind))
def delete_session(realm: RealmAdmin, session_id: str, query: SessionQuery) -> NoContent:
    """Ends a session."""
    session = realm.reader.get(SESSIONS, realm.id, session_id)
    if session is None or session.offline is not query.is_offline:
        raise NotFound("Sesssion not found")
    realm.tx.delete(SESSIONS, realm.id, session_id)
    return NoContent()


@realm_sessions.post("logout-all", needs=MANAGE_USERS, event=Recorded("REALM", ACTION, logged_out))
def logout_all(realm: RealmAdmin) -> dict[str, Any]:
    """Ends every session but the offline ones; tokens from before do not count any more."""
    for session in realm.reader.select(SESSIONS, realm.id):
        if not session.offline:
            realm.tx.delete(SESSIONS, realm.id, session.id)
    realm.update(REALMS, replace(realm.realm, not_before=realm.now()))
    return logged_out(realm, {}, None)
