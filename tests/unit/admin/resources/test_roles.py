"""Roles of realms and clients: by name, by id, and what they contain."""

from typing import Any

import pytest

from admin_server import Server

_BUILT_IN = {"default-roles-demo", "offline_access", "uma_authorization"}


@pytest.fixture
def client(server: Server) -> str:
    """The id of a client with a role ``call``."""
    made = server.call("POST", "/demo/clients", {"clientId": "svc"})
    assert server.call("POST", f"/demo/clients/{made.id}/roles", {"name": "call"}).status == 201
    return made.id


def _make(server: Server, *names: str) -> None:
    for name in names:
        assert server.call("POST", "/demo/roles", {"name": name}).status == 201


def _names(server: Server, path: str, query: str = "") -> list[str]:
    return [role["name"] for role in server.call("GET", f"/demo/{path}", query=query).body]


def test_a_role_is_told_by_name_and_by_id(server: Server) -> None:
    made = server.call("POST", "/demo/roles", {"name": "odd name/ü", "description": "d", "attributes": {"a": ["b"]}})
    assert made.status == 201
    assert made.headers["location"].endswith("/admin/realms/demo/roles/odd%20name%2F%C3%BC")
    told = server.call("GET", "/demo/roles/odd%20name%2F%C3%BC").body
    assert told["attributes"] == {"a": ["b"]}
    assert (told["composite"], told["clientRole"]) == (False, False)
    assert server.call("GET", f"/demo/roles-by-id/{told['id']}").body == told


@pytest.mark.parametrize(
    ("role", "status", "body"),
    [
        ({}, 400, {"error": "role has no name"}),
        ({"name": "offline_access"}, 409, {"errorMessage": "Role with name offline_access already exists"}),
        (
            {"name": "x", "composite": True, "composites": {"realm": ["nope"]}},
            404,
            {"errorMessage": "Realm Role with name nope does not exist"},
        ),
        (
            {"name": "x", "composite": True, "composites": {"client": {"svc": ["nope"]}}},
            404,
            {"errorMessage": "Client Role with name nope does not exist"},
        ),
    ],
)
def test_refuses_roles_in_keycloaks_words(server: Server, client: str, role: Any, status: int, body: Any) -> None:
    answer = server.call("POST", "/demo/roles", role)
    assert (answer.status, answer.body) == (status, body)
    assert set(_names(server, "roles")) == _BUILT_IN


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=ACCESS", ["b-access", "offline_access"]),
        ("search=access&first=1", ["offline_access"]),
        ("search=access&max=1", ["b-access"]),
        ("first=1&max=2", ["default-roles-demo", "offline_access"]),
        ("max=1", ["b-access", "default-roles-demo", "offline_access", "uma_authorization"]),
        ("first=-1&max=1", ["b-access"]),
    ],
)
def test_pages_roles_only_where_keycloak_does(server: Server, query: str, names: list[str]) -> None:
    _make(server, "b-access")
    assert _names(server, "roles", query) == names


def test_a_change_takes_the_description_away_and_keeps_attributes(server: Server) -> None:
    server.call("POST", "/demo/roles", {"name": "r", "description": "d", "attributes": {"a": ["b"]}})
    assert server.call("PUT", "/demo/roles/r", {"name": "s"}).status == 204
    told = server.call("GET", "/demo/roles/s").body
    assert "description" not in told
    assert told["attributes"] == {"a": ["b"]}
    assert server.call("PUT", "/demo/roles/s", {"name": "offline_access"}).body == {
        "error": "conflict",
        "error_description": "Duplicate resource error",
    }


def test_the_default_role_stays_and_may_be_renamed(server: Server) -> None:
    assert server.call("PUT", "/demo/roles/default-roles-demo", {"name": "usual"}).status == 204
    assert server.call("GET", "/demo").body["defaultRole"]["name"] == "usual"
    answer = server.call("DELETE", "/demo/roles/usual")
    assert answer.body == {"errorMessage": "usual is default role of the realm and cannot be removed."}


def test_nobody_changes_roles_of_management_clients(server: Server) -> None:
    management = server.call("GET", "/demo/clients", query="clientId=realm-management").body[0]["id"]
    role = server.call("GET", f"/demo/clients/{management}/roles/view-users").body
    assert server.call("POST", f"/demo/clients/{management}/roles", {"name": "x"}).status == 403
    assert server.call("PUT", f"/demo/roles-by-id/{role['id']}", {"name": "x"}).status == 403
    assert server.call("DELETE", "/master/roles/create-realm").status == 403


def test_composites_are_filtered_by_what_they_are(server: Server, client: str) -> None:
    _make(server, "outer", "middle", "inner")
    middle = server.call("GET", "/demo/roles/middle").body
    call = server.call("GET", f"/demo/clients/{client}/roles/call").body
    assert server.call("POST", "/demo/roles/outer/composites", [middle, call]).status == 204
    outer = server.call("GET", "/demo/roles/outer").body
    assert outer["composite"] is True
    assert _names(server, "roles/outer/composites") == ["call", "middle"]
    assert _names(server, "roles/outer/composites/realm") == ["middle"]
    assert _names(server, f"roles-by-id/{outer['id']}/composites/clients/{client}") == ["call"]
    assert _names(server, f"roles-by-id/{outer['id']}/composites", "search=MID") == ["middle"]
    assert server.call("DELETE", "/demo/roles/outer/composites", [middle, call]).status == 204
    assert server.call("GET", "/demo/roles/outer").body["composite"] is False


def test_a_composite_that_is_not_there_leaves_nothing_behind(server: Server) -> None:
    _make(server, "outer", "inner")
    inner = server.call("GET", "/demo/roles/inner").body
    answer = server.call("POST", "/demo/roles/outer/composites", [inner, {"id": "nope"}])
    assert (answer.status, answer.body) == (404, {"error": "Could not find composite role"})
    assert _names(server, "roles/outer/composites") == []


def test_a_deleted_role_is_gone_from_composites_and_mappings(server: Server) -> None:
    _make(server, "outer", "inner")
    inner = server.call("GET", "/demo/roles/inner").body
    server.call("POST", "/demo/roles/outer/composites", [inner])
    user = server.call("POST", "/demo/users", {"username": "ada"}).id
    server.call("POST", f"/demo/users/{user}/role-mappings/realm", [inner])
    assert server.call("DELETE", f"/demo/roles-by-id/{inner['id']}").status == 204
    assert server.call("GET", "/demo/roles/outer").body["composite"] is False
    assert _names(server, f"users/{user}/role-mappings/realm") == ["default-roles-demo"]


def test_tells_who_holds_a_role(server: Server) -> None:
    _make(server, "r")
    role = server.call("GET", "/demo/roles/r").body
    for name in ("zoe", "ann"):
        user = server.call("POST", "/demo/users", {"username": name}).id
        server.call("POST", f"/demo/users/{user}/role-mappings/realm", [role])
        group = server.call("POST", "/demo/groups", {"name": name}).id
        server.call("POST", f"/demo/groups/{group}/role-mappings/realm", [role])
    users = server.call("GET", "/demo/roles/r/users", query="first=0&max=1").body
    assert [user["username"] for user in users] == ["ann"]
    assert users[0]["access"] == {"manage": True}
    assert [group["path"] for group in server.call("GET", "/demo/roles/r/groups").body] == ["/ann", "/zoe"]
