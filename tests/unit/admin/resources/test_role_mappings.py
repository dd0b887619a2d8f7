"""Roles of users and groups: given, taken away, and what follows from them."""

from typing import Any

import pytest

from admin_server import Server


@pytest.fixture
def user(server: Server) -> str:
    """The id of a user."""
    return server.call("POST", "/demo/users", {"username": "ada"}).id


@pytest.fixture
def role(server: Server) -> dict[str, Any]:
    """A realm role."""
    server.call("POST", "/demo/roles", {"name": "r"})
    body: dict[str, Any] = server.call("GET", "/demo/roles/r").body
    return body


def _names(server: Server, path: str) -> set[str]:
    return {role["name"] for role in server.call("GET", f"/demo/{path}").body}


def _client_with_role(server: Server) -> tuple[str, dict[str, Any]]:
    client = server.call("POST", "/demo/clients", {"clientId": "api"}).id
    server.call("POST", f"/demo/clients/{client}/roles", {"name": "read"})
    return client, server.call("GET", f"/demo/clients/{client}/roles/read").body


def test_a_mapped_role_is_told_and_no_longer_available(server: Server, user: str, role: dict[str, Any]) -> None:
    mappings = f"users/{user}/role-mappings"
    assert "r" in _names(server, f"{mappings}/realm/available")
    assert server.call("POST", f"/demo/{mappings}/realm", [role]).status == 204
    assert _names(server, f"{mappings}/realm") == {"default-roles-demo", "r"}
    assert "r" not in _names(server, f"{mappings}/realm/available")
    assert {"offline_access", "r"} <= _names(server, f"{mappings}/realm/composite")


@pytest.mark.parametrize("changed", [{"id": "nope"}, {"name": "nope"}, {"id": None}, {"name": None}])
def test_a_role_is_named_by_id_and_name(server: Server, user: str, role: dict[str, Any], changed: Any) -> None:
    answer = server.call("POST", f"/demo/users/{user}/role-mappings/realm", [role, {**role, **changed}])
    assert (answer.status, answer.body) == (404, {"error": "Role not found"})
    assert _names(server, f"users/{user}/role-mappings/realm") == {"default-roles-demo"}


def test_client_roles_are_mapped_below_their_client(server: Server, user: str, role: dict[str, Any]) -> None:
    client, read = _client_with_role(server)
    path = f"users/{user}/role-mappings/clients/{client}"
    assert server.call("POST", f"/demo/{path}", [role]).body == {"error": "Role not found"}
    assert server.call("POST", f"/demo/{path}", [read]).status == 204
    told = server.call("GET", f"/demo/users/{user}/role-mappings").body["clientMappings"]
    assert told["api"]["client"] == "api"
    assert [mapped["name"] for mapped in told["api"]["mappings"]] == ["read"]
    assert server.call("DELETE", f"/demo/{path}").status == 204
    assert _names(server, path) == set()


def test_without_a_body_all_realm_roles_go(server: Server, user: str, role: dict[str, Any]) -> None:
    path = f"/demo/users/{user}/role-mappings/realm"
    server.call("POST", path, [role])
    assert server.call("DELETE", path).status == 204
    assert server.call("GET", f"/demo/users/{user}/role-mappings").body == {}


def test_everybody_is_told_that_there_is_no_such_client(server: Server, user: str) -> None:
    token = server.holder_of("impersonation")
    answer = server.call("GET", f"/demo/users/{user}/role-mappings/clients/nope", token=token)
    assert (answer.status, answer.body) == (404, {"error": "Client not found"})


def test_members_hold_the_roles_of_the_groups_above(server: Server, user: str, role: dict[str, Any]) -> None:
    client, read = _client_with_role(server)
    team = server.call("POST", "/demo/groups", {"name": "team"}).id
    child = server.call("POST", f"/demo/groups/{team}/children", {"name": "child"}).body["id"]
    server.call("POST", f"/demo/groups/{team}/role-mappings/realm", [role])
    server.call("POST", f"/demo/groups/{team}/role-mappings/clients/{client}", [read])
    server.call("PUT", f"/demo/users/{user}/groups/{child}")
    assert "r" in _names(server, f"users/{user}/role-mappings/realm/composite")
    assert _names(server, f"users/{user}/role-mappings/clients/{client}/composite") == {"read"}
    assert _names(server, f"groups/{child}/role-mappings/realm/composite") == {"r"}
    # Keycloak does not tell the client roles of the groups above.
    assert _names(server, f"groups/{child}/role-mappings/clients/{client}/composite") == set()


def test_a_manager_of_users_gives_no_rights_beyond(server: Server, user: str) -> None:
    token = server.holder_of("manage-users")
    management = server.call("GET", "/demo/clients", query="clientId=realm-management").body[0]["id"]
    path = f"/demo/users/{user}/role-mappings/clients/{management}"
    given = {}
    for name in ("view-users", "realm-admin", "manage-clients"):
        role = server.call("GET", f"/demo/clients/{management}/roles/{name}").body
        given[name] = server.call("POST", path, [role], token=token).status
    assert given == {"view-users": 204, "realm-admin": 403, "manage-clients": 403}
    assert len(server.call("GET", f"{path}/available", token=token).body) == 6
