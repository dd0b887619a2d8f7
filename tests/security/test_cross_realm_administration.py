"""An administrator of one realm is nobody in another; one of master is what the roles say, realm by realm."""

from typing import Any

import pytest

from harness.deployment import Deployment

PATHS = (
    "",
    "/clients",
    "/users",
    "/roles",
    "/groups",
    "/client-scopes",
    "/components",
    "/keys",
    "/events",
    "/admin-events",
    "/clients/{client}",
    "/clients/{client}/client-secret",
    "/clients/{client}/service-account-user",
)


@pytest.fixture
def twin(server: Deployment) -> str:
    """Another realm, with a client in it; the client's ``id``."""
    server.created("", {"realm": "twin", "enabled": True})
    return server.client("theirs", "secret", realm="twin")


def administrator(server: Deployment, *roles: str, realm: str = "demo") -> str:
    """The token of a new person with these rights in `realm`."""
    server.person("somebody", "password", *roles, realm=realm)
    return str(server.login("somebody", "password", realm=realm)["access_token"])


@pytest.mark.parametrize("path", PATHS)
def test_a_realms_administrator_sees_nothing_of_another(server: Deployment, twin: str, path: str) -> None:
    token = administrator(server, "realm-admin")
    for realm in ("twin", "master"):
        answer = server.admin("GET", f"/{realm}{path.format(client=twin)}", token=token)
        assert answer.status_code == 403
        assert "theirs" not in answer.text


def test_a_realms_administrator_changes_nothing_in_another(server: Deployment, twin: str) -> None:
    token = administrator(server, "realm-admin")
    refused: list[tuple[str, str, Any]] = [
        ("PUT", "/twin", {"displayName": "ours"}),
        ("DELETE", "/twin", None),
        ("POST", "", {"realm": "new"}),
        ("POST", "/twin/users", {"username": "mole"}),
        ("POST", "/twin/clients", {"clientId": "mole"}),
        ("PUT", f"/twin/clients/{twin}", {"secret": "ours"}),
        ("POST", f"/twin/clients/{twin}/client-secret", None),
        ("DELETE", f"/twin/clients/{twin}", None),
        ("POST", "/twin/partialImport", {"users": []}),
        ("POST", "/master/users", {"username": "mole", "enabled": True}),
    ]
    for method, path, document in refused:
        answer = server.admin(method, path, document, token=token)
        assert answer.status_code == 403, (method, path, answer.text)
    assert server.client_token("theirs", "secret", realm="twin")
    assert server.admin("GET", "/twin/users?username=mole").json() == []


def test_ids_of_another_realm_lead_nowhere(server: Deployment, twin: str) -> None:
    """By the path of the own realm there is no way to a document of another."""
    token = administrator(server, "realm-admin")
    user = server.person("theirs", "password", realm="twin")
    role = server.role("theirs", "x", realm="twin")
    assert "error" in role
    for method, path in (
        ("GET", f"/demo/clients/{twin}"),
        ("GET", f"/demo/clients/{twin}/client-secret"),
        ("DELETE", f"/demo/clients/{twin}"),
        ("GET", f"/demo/users/{user}"),
        ("DELETE", f"/demo/users/{user}"),
        ("PUT", f"/demo/users/{user}/reset-password"),
    ):
        document = {"type": "password", "value": "ours"} if method == "PUT" else None
        assert server.admin(method, path, document, token=token).status_code == 404, path


def test_roles_of_another_realm_cannot_be_mapped(server: Deployment, twin: str) -> None:
    token = administrator(server, "realm-admin")
    user = server.person("ally", "password")
    server.admin("POST", "/twin/roles", {"name": "theirs"})
    role = server.admin("GET", "/twin/roles/theirs").json()
    answer = server.admin("POST", f"/demo/users/{user}/role-mappings/realm", [role], token=token)
    assert answer.status_code == 404


def test_master_rights_are_for_the_realm_that_they_name(server: Deployment, twin: str) -> None:
    """Somebody of master who may only manage users of demo."""
    user = server.person("somebody", "password", realm="master")
    server.give(user, "demo-realm", "manage-users", realm="master")
    token = server.login("somebody", "password", realm="master")["access_token"]
    assert server.admin("GET", "/demo/users", token=token).status_code == 200
    for path in ("/twin/users", "/master/users", "/demo/clients", "/demo/events"):
        assert server.admin("GET", path, token=token).status_code == 403, path
    assert [realm["realm"] for realm in server.admin("GET", "", token=token).json()] == ["demo"]


def test_a_realm_named_master_within_its_clients_gains_nothing(server: Deployment) -> None:
    """A client of demo called ``master-realm`` or ``twin-realm`` is no door to those realms."""
    server.created("", {"realm": "twin", "enabled": True})
    server.person("somebody", "password", "realm-admin")
    token = server.login("somebody", "password")["access_token"]
    user = server.admin("GET", "/demo/users?username=somebody", token=token).json()[0]["id"]
    for client_id in ("master-realm", "twin-realm"):
        uuid = server.created("/demo/clients", {"clientId": client_id}, token=token)
        assert server.admin("POST", f"/demo/clients/{uuid}/roles", {"name": "manage-users"}, token=token).is_success
        role = server.admin("GET", f"/demo/clients/{uuid}/roles/manage-users", token=token).json()
        path = f"/demo/users/{user}/role-mappings/clients/{uuid}"
        assert server.admin("POST", path, [role], token=token).status_code == 204
    for realm in ("master", "twin"):
        assert server.admin("GET", f"/{realm}/users", token=token).status_code == 403


def test_a_new_realm_of_an_old_name_knows_nobody(server: Deployment) -> None:
    """Who administered a realm that was deleted and made again is a stranger to the new one."""
    server.created("", {"realm": "twin", "enabled": True})
    server.person("somebody", "password", "realm-admin", realm="twin")
    token = server.login("somebody", "password", realm="twin")["access_token"]
    user = server.person("theirs", "password", realm="master")
    server.give(user, "twin-realm", "manage-users", realm="master")
    masters = server.login("theirs", "password", realm="master")["access_token"]
    assert server.admin("DELETE", "/twin").status_code == 204
    server.created("", {"realm": "twin", "enabled": True})
    assert server.admin("GET", "/twin/users", token=token).status_code == 401
    assert server.admin("GET", "/twin/users", token=masters).status_code == 403
