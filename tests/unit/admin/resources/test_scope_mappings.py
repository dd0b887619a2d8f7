"""Roles in the scope of clients and client scopes."""

from typing import Any

import pytest

from admin_server import Server


@pytest.fixture
def roles(server: Server) -> dict[str, Any]:
    """Two realm roles, the first of which contains the second."""
    for name in ("outer", "inner"):
        server.call("POST", "/demo/roles", {"name": name})
    made = {name: server.call("GET", f"/demo/roles/{name}").body for name in ("outer", "inner")}
    server.call("POST", "/demo/roles/outer/composites", [made["inner"]])
    return made


@pytest.fixture
def narrow(server: Server) -> str:
    """The id of a client without full scope, which owns the role ``own``."""
    client = server.call("POST", "/demo/clients", {"clientId": "narrow", "fullScopeAllowed": False}).id
    server.call("POST", f"/demo/clients/{client}/roles", {"name": "own"})
    return client


def _names(server: Server, path: str) -> set[str]:
    return {role["name"] for role in server.call("GET", f"/demo/{path}").body}


def test_a_scope_is_closed_over_composites(server: Server, narrow: str, roles: dict[str, Any]) -> None:
    path = f"clients/{narrow}/scope-mappings"
    assert server.call("POST", f"/demo/{path}/realm", [{"id": roles["outer"]["id"]}]).status == 204
    assert _names(server, f"{path}/realm") == {"outer"}
    assert _names(server, f"{path}/realm/composite") == {"outer", "inner"}
    assert "inner" in _names(server, f"{path}/realm/available")
    assert [role["name"] for role in server.call("GET", f"/demo/{path}").body["realmMappings"]] == ["outer"]
    assert server.call("DELETE", f"/demo/{path}/realm").status == 204
    assert server.call("GET", f"/demo/{path}").body == {}


def test_a_clients_own_roles_are_always_in_its_scope(server: Server, narrow: str) -> None:
    path = f"clients/{narrow}/scope-mappings/clients/{narrow}"
    assert _names(server, path) == set()
    assert _names(server, f"{path}/composite") == {"own"}
    assert _names(server, f"{path}/available") == set()


def test_client_roles_are_named_by_name(server: Server, narrow: str) -> None:
    scope = server.call("POST", "/demo/client-scopes", {"name": "s", "protocol": "openid-connect"}).id
    path = f"client-scopes/{scope}/scope-mappings/clients/{narrow}"
    assert server.call("POST", f"/demo/{path}", [{"name": "own"}]).status == 204
    assert _names(server, path) == {"own"}
    assert server.call("POST", f"/demo/{path}", [{"name": "nope"}]).body == {"error": "Role not found"}
    assert server.call("POST", f"/demo/{path}nope", []).body == {"error": "Could not find client"}


def test_who_may_not_manage_the_realm_scopes_no_realm_roles(server: Server, narrow: str, roles: dict[str, Any]) -> None:
    token = server.holder_of("manage-clients")
    path = f"/demo/clients/{narrow}/scope-mappings/realm"
    assert server.call("POST", path, [roles["inner"]], token=token).status == 403
    assert server.call("GET", f"{path}/available", token=token).body == []
