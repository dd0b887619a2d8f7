"""Sessions as administrators see and end them."""

import pytest

from admin_server import NOW, Server
from keyturn.model.user_session import ClientSession, UserSession
from keyturn.store.collections import REALMS, SESSIONS

_HOUR = 3600


@pytest.fixture
def user(server: Server) -> str:
    """A user with a session and an offline session with the client ``app``, and an expired one."""
    user = server.call("POST", "/demo/users", {"username": "ada", "enabled": True}).id
    client = server.call("POST", "/demo/clients", {"clientId": "app"}).id
    held = ClientSession(started=int(NOW), refreshed=int(NOW))
    with server.store.write() as tx:
        realm = tx.find(REALMS, None, realm="demo")
        assert realm is not None
        for name, offline, expires in (("live", False, _HOUR), ("offline", True, _HOUR), ("expired", False, -1)):
            session = UserSession(
                id=name,
                user_id=user,
                username="ada",
                address="192.0.2.1",
                started=int(NOW),
                refreshed=int(NOW) + 1,
                expires=int(NOW) + expires,
                offline=offline,
                clients={client: held},
            )
            tx.insert(SESSIONS, str(realm.id), session)
    return user


def _client(server: Server) -> str:
    return str(server.call("GET", "/demo/clients", query="clientId=app").body[0]["id"])


def _ids(server: Server, path: str) -> list[str]:
    return [session["id"] for session in server.call("GET", f"/demo/{path}").body]


def test_a_session_is_told_with_its_clients(server: Server, user: str) -> None:
    client = _client(server)
    assert server.call("GET", f"/demo/users/{user}/sessions").body == [
        {
            "id": "live",
            "username": "ada",
            "userId": user,
            "ipAddress": "192.0.2.1",
            "start": int(NOW) * 1000,
            "lastAccess": int(NOW) * 1000 + 1000,
            "rememberMe": False,
            "clients": {client: "app"},
            "transientUser": False,
        }
    ]
    assert _ids(server, f"users/{user}/offline-sessions/{client}") == ["offline"]
    assert _ids(server, f"clients/{client}/user-sessions") == ["live"]
    assert server.call("GET", f"/demo/clients/{client}/session-count").body == {"count": 1}
    assert server.call("GET", f"/demo/clients/{client}/offline-session-count").body == {"count": 1}
    assert server.call("GET", "/demo/client-session-stats").body == [
        {"id": client, "clientId": "app", "active": "1", "offline": "1"}
    ]


def test_logout_ends_sessions_but_not_offline_ones(server: Server, user: str) -> None:
    assert server.call("POST", f"/demo/users/{user}/logout").status == 204
    assert _ids(server, f"users/{user}/sessions") == []
    assert _ids(server, f"users/{user}/offline-sessions/{_client(server)}") == ["offline"]
    assert server.call("GET", f"/demo/users/{user}").body["notBefore"] == int(NOW)


def test_a_session_is_ended_by_its_id_and_kind(server: Server, user: str) -> None:
    assert server.call("DELETE", "/demo/sessions/offline").body == {"error": "Sesssion not found"}
    assert server.call("DELETE", "/demo/sessions/offline", query="isOffline=true").status == 204
    assert server.call("DELETE", "/demo/sessions/live").status == 204
    assert server.call("GET", "/demo/client-session-stats").body == []


def test_revoking_consent_ends_offline_sessions(server: Server, user: str) -> None:
    client = _client(server)
    grants = [{"client": client, "key": "Offline Token"}]
    told = {"clientId": "app", "grantedClientScopes": [], "additionalGrants": grants}
    assert server.call("GET", f"/demo/users/{user}/consents").body == [told]
    assert server.call("DELETE", f"/demo/users/{user}/consents/app").status == 204
    assert server.call("GET", f"/demo/users/{user}/consents").body == []
    answer = server.call("DELETE", f"/demo/users/{user}/consents/app")
    assert (answer.status, answer.body) == (404, {"error": "Consent nor offline token not found"})


def test_everybody_is_logged_out_at_once(server: Server, user: str) -> None:
    assert server.call("POST", "/demo/logout-all").body == {}
    assert _ids(server, f"users/{user}/sessions") == []
    assert server.call("GET", "/demo").body["notBefore"] == int(NOW)


def test_the_sessions_of_a_removed_user_end(server: Server, user: str) -> None:
    assert server.call("DELETE", f"/demo/users/{user}").status == 204
    assert _ids(server, f"clients/{_client(server)}/offline-sessions") == []
