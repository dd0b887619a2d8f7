"""A body changes what it may change: ids, owners and what the server works out are not a caller's to set."""

from typing import Any

import pytest

from harness.deployment import Deployment

STRANGE = "11111111-2222-3333-4444-555555555555"


def test_no_document_moves_to_another_id(server: Deployment) -> None:
    client = server.client("app", "secret")
    user = server.person("ada", "password")
    group = server.created("/demo/groups", {"name": "team"})
    scope = server.created("/demo/client-scopes", {"name": "extra", "protocol": "openid-connect"})
    server.admin("POST", "/demo/roles", {"name": "reader"})
    role = server.admin("GET", "/demo/roles/reader").json()["id"]
    for path, document in (
        (f"/demo/clients/{client}", {"clientId": "app"}),
        (f"/demo/users/{user}", {"username": "ada"}),
        (f"/demo/groups/{group}", {"name": "team"}),
        (f"/demo/client-scopes/{scope}", {"name": "extra"}),
        ("/demo/roles/reader", {"name": "reader"}),
        (f"/demo/roles-by-id/{role}", {"name": "reader"}),
        ("/demo", {"realm": "demo"}),
    ):
        before = server.admin("GET", path).json()
        answer = server.admin("PUT", path, document | {"id": STRANGE})
        assert answer.status_code in {204, 400}, (path, answer.text)
        assert server.admin("GET", path).json()["id"] == before["id"], path
        assert STRANGE not in server.admin("GET", path).text


READ_ONLY: dict[str, Any] = {
    "access": {"view": True, "configure": True, "manage": True},
    "defaultClientScopes": ["roles", "offline_access"],
    "optionalClientScopes": [],
    "registrationAccessToken": "stolen",
    "origin": "elsewhere",
}


@pytest.mark.parametrize("field", READ_ONLY)
def test_a_clients_read_only_fields_stay(server: Deployment, field: str) -> None:
    uuid = server.client("app", "secret")
    before = server.admin("GET", f"/demo/clients/{uuid}").json()
    assert server.admin("PUT", f"/demo/clients/{uuid}", {field: READ_ONLY[field]}).status_code == 204
    assert server.admin("GET", f"/demo/clients/{uuid}").json() == before


def test_access_is_worked_out_for_who_asks(server: Deployment) -> None:
    """``access`` as a caller sends it says nothing, neither at once nor to the next reader."""
    everything = {"view": True, "configure": True, "manage": True}
    uuid = server.client("app", "secret", access=everything)
    server.person("viewer", "password", "view-clients")
    token = server.login("viewer", "password")["access_token"]
    seen = server.admin("GET", f"/demo/clients/{uuid}", token=token).json()["access"]
    assert seen == {"view": True, "configure": False, "manage": False}
    assert server.admin("PUT", f"/demo/clients/{uuid}", {"access": everything}, token=token).status_code == 403


SERVER_SIDE: dict[str, Any] = {
    "serviceAccountClientId": "operator",
    "createdTimestamp": 1,
    "access": {"manage": True},
    "realmRoles": ["offline_access"],
    "clientRoles": {"realm-management": ["realm-admin"]},
    "origin": "elsewhere",
    "federationLink": "elsewhere",
}


@pytest.mark.parametrize("field", SERVER_SIDE)
def test_a_users_read_only_fields_stay(server: Deployment, field: str) -> None:
    user = server.person("ada", "password")
    roles = f"/demo/users/{user}/role-mappings"
    before = server.admin("GET", f"/demo/users/{user}").json(), server.admin("GET", roles).json()
    answer = server.admin("PUT", f"/demo/users/{user}", before[0] | {field: SERVER_SIDE[field]})
    assert answer.status_code in {204, 400}, answer.text
    after = server.admin("GET", f"/demo/users/{user}").json(), server.admin("GET", roles).json()
    if field == "createdTimestamp":  # Keycloak takes it, too
        before[0].pop(field)
        after[0].pop(field)
    assert after == before


def test_nobody_becomes_a_clients_service_account(server: Deployment) -> None:
    """The user that stands for a client is found by the client alone; a person who claims it is a person."""
    server.client("operator", "secret")
    other = server.client("ours", "secret")
    user = server.person("ada", "password")
    for link in ("operator", server.client_uuid("operator"), "ours", other):
        server.admin("PUT", f"/demo/users/{user}", {"serviceAccountClientId": link})
        server.admin("POST", "/demo/users", {"username": f"x{link}", "serviceAccountClientId": link})
    for client_id in ("operator", "ours"):
        account = server.admin("GET", f"/demo/clients/{server.client_uuid(client_id)}/service-account-user").json()
        assert account["username"] == f"service-account-{client_id}"
    assert server.client_token("operator", "secret")


def test_a_role_stays_with_its_owner(server: Deployment) -> None:
    uuid = server.client("app", "secret")
    assert server.admin("POST", f"/demo/clients/{uuid}/roles", {"name": "reader"}).status_code == 201
    path = f"/demo/clients/{uuid}/roles/reader"
    before = server.admin("GET", path).json()
    claims = {"containerId": server.admin("GET", "/demo").json()["id"], "clientRole": False, "composite": True}
    assert server.admin("PUT", path, before | claims).status_code == 204
    assert server.admin("GET", path).json() == before
    assert server.admin("GET", "/demo/roles/reader").status_code == 404


def test_a_realm_takes_no_keys_and_no_users_by_a_change(server: Deployment) -> None:
    """What an import brings, a PUT does not: it would be a way around the rights to manage those."""
    server.person("manager", "password", "manage-realm")
    token = server.login("manager", "password")["access_token"]
    change = {
        "users": [{"username": "mole", "enabled": True, "clientRoles": {"realm-management": ["realm-admin"]}}],
        "clients": [{"clientId": "mole"}],
        "roles": {"realm": [{"name": "mole"}]},
        "defaultRole": {"name": "admin"},
        "privateKey": "stolen",
        "publicKey": "stolen",
        "components": {"org.keycloak.keys.KeyProvider": [{"name": "mole", "providerId": "hmac-generated"}]},
    }
    assert server.admin("PUT", "/demo", change, token=token).status_code in {204, 400}
    for path in ("/users?username=mole", "/clients?clientId=mole", "/components?name=mole"):
        assert server.admin("GET", f"/demo{path}").json() == []
    assert server.admin("GET", "/demo/roles/mole").status_code == 404
    assert "stolen" not in server.admin("GET", "/demo").text
