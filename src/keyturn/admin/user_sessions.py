"""Sessions as administrators see and end them. Source: Keycloak ``ModelToRepresentation``, ``UserResource.logout``."""

from collections.abc import Iterable, Mapping
from typing import Any

from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.model.user_session import UserSession
from keyturn.representations import Part, replace
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, SESSIONS

__all__ = ["LiveSession", "end_sessions", "live_sessions", "session_documents", "sessions_of"]

_MILLISECONDS = 1000


class LiveSession(Part, kw_only=True):
    """What of a session tells whose it is."""

    id: str
    expires: int
    offline: bool = False
    clients: dict[str, Any]


def live_sessions(realm: RealmView) -> list[LiveSession]:
    """The realm's sessions, offline ones too, the newest login last."""
    now = realm.now()
    return [session for session in realm.reader.parts(SESSIONS, realm.id, LiveSession) if session.expires > now]


def sessions_of(realm: RealmView, user: UserRepresentation, *, offline: bool) -> list[UserSession]:
    """The user's sessions."""
    now = realm.now()
    sessions = realm.reader.select(SESSIONS, realm.id, where={"user_id": str(user.id)})
    return [session for session in sessions if session.expires > now and session.offline is offline]


def session_documents(realm: RealmView, sessions: Iterable[UserSession]) -> list[dict[str, Any]]:
    """`sessions` as the wire has them, the clients by id."""
    sessions = list(sessions)
    ids = dict.fromkeys(client_id for session in sessions for client_id in session.clients)
    names = {str(client.id): str(client.client_id) for client in realm.reader.get_many(CLIENTS, realm.id, ids)}
    return [_document(session, names) for session in sessions]


def _document(session: UserSession, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": session.id,
        "username": session.username,
        "userId": session.user_id,
        "ipAddress": session.address,
        "start": session.started * _MILLISECONDS,
        "lastAccess": session.refreshed * _MILLISECONDS,
        "rememberMe": False,
        "clients": {client_id: names[client_id] for client_id in session.clients if client_id in names},
        "transientUser": False,
    }


def end_sessions(
    realm: RealmAdmin, user: UserRepresentation, *, client_id: str | None = None, offline: bool | None = None
) -> bool:
    """Ends the user's sessions: with one client only, offline ones only or none of them, where that is said.

    Returns:
        Whether there were any.
    """
    ended = False
    for session in realm.reader.select(SESSIONS, realm.id, where={"user_id": str(user.id)}):
        if offline is not None and session.offline is not offline:
            continue
        if client_id is None or set(session.clients) == {client_id}:
            ended = realm.tx.delete(SESSIONS, realm.id, session.id)
        elif client_id in session.clients:
            clients = {each: held for each, held in session.clients.items() if each != client_id}
            realm.tx.update(SESSIONS, realm.id, replace(session, clients=clients))
            ended = True
    return ended
