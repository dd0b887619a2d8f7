"""Nobody gives, to themselves or others, a right that they do not hold; nor becomes somebody who holds it."""

from typing import Any

import pytest

from harness.deployment import Deployment

RIGHTS = ("realm-admin", "manage-realm", "manage-clients", "manage-events", "view-events", "impersonation")


def manager_of(server: Deployment, *roles: str) -> tuple[str, str]:
    """The id and the token of a new person with these rights in demo."""
    user = server.person("manager", "password", *roles)
    return user, str(server.login("manager", "password")["access_token"])


@pytest.mark.parametrize("right", RIGHTS)
def test_managing_users_gives_no_right_that_one_lacks(server: Deployment, right: str) -> None:
    user, token = manager_of(server, "manage-users", "view-clients", "view-realm")
    role = server.role("realm-management", right)
    mapping = f"/demo/users/{user}/role-mappings/clients/{role['containerId']}"
    assert server.admin("POST", mapping, [role], token=token).status_code == 403
    group = server.created("/demo/groups", {"name": "ours"})
    grouped = f"/demo/groups/{group}/role-mappings/clients/{role['containerId']}"
    assert server.admin("POST", grouped, [role], token=token).status_code == 403
    assert right not in [each["name"] for each in server.admin("GET", f"{mapping}/available", token=token).json()]
    held = [each["name"] for each in server.admin("GET", f"{mapping}/composite").json()]
    assert right not in held


def test_one_refused_role_refuses_all(server: Deployment) -> None:
    user, token = manager_of(server, "manage-users", "view-clients")
    allowed, refused = server.role("realm-management", "view-users"), server.role("realm-management", "manage-realm")
    mapping = f"/demo/users/{user}/role-mappings/clients/{allowed['containerId']}"
    before = server.admin("GET", mapping).json()
    assert server.admin("POST", mapping, [allowed, refused], token=token).status_code == 403
    assert server.admin("GET", mapping).json() == before


def test_a_role_is_what_the_server_says_it_is(server: Deployment) -> None:
    """A body that gives the id of a right another name, or the name of one another id, maps nothing."""
    user, token = manager_of(server, "manage-users", "view-clients")
    right = server.role("realm-management", "realm-admin")
    harmless = server.role("realm-management", "query-users")
    mapping = f"/demo/users/{user}/role-mappings/clients/{right['containerId']}"
    for liar in (right | {"name": "query-users"}, right | {"id": harmless["id"]}, harmless | {"id": right["id"]}):
        assert server.admin("POST", mapping, [liar], token=token).status_code in {403, 404}
    realm_roles = f"/demo/users/{user}/role-mappings/realm"
    for liar in (right, right | {"clientRole": False}, right | {"clientRole": False, "containerId": "demo"}):
        assert server.admin("POST", realm_roles, [liar], token=token).status_code in {403, 404}
    assert server.admin("GET", "/demo/events", token=token).status_code == 403


@pytest.mark.parametrize("right", RIGHTS)
def test_managing_clients_puts_no_right_into_a_role(server: Deployment, right: str) -> None:
    _, token = manager_of(server, "manage-clients", "view-users")
    role = server.role("realm-management", right)
    uuid = server.created("/demo/clients", {"clientId": "ours"}, token=token)
    assert server.admin("POST", f"/demo/clients/{uuid}/roles", {"name": "mine"}, token=token).status_code == 201
    composites = f"/demo/clients/{uuid}/roles/mine/composites"
    answer = server.admin("POST", composites, [role], token=token)
    assert answer.status_code == (204 if right == "manage-clients" else 403)


def test_a_role_is_made_without_what_it_would_contain(server: Deployment) -> None:
    """Keycloak reads ``composites`` of a new role; none of them may be a right that its maker lacks."""
    _, token = manager_of(server, "manage-clients", "manage-users", "view-realm")
    uuid = server.created("/demo/clients", {"clientId": "ours"}, token=token)
    document = {"name": "mine", "composite": True, "composites": {"client": {"realm-management": ["realm-admin"]}}}
    assert server.admin("POST", f"/demo/clients/{uuid}/roles", document, token=token).status_code in {201, 403}
    inside = server.admin("GET", f"/demo/clients/{uuid}/roles/mine/composites")
    assert inside.status_code == 404 or inside.json() == []


def test_the_rights_themselves_are_nobodys_to_change(server: Deployment) -> None:
    """Source: Keycloak, where ``realm-management`` is managed by nobody, not even by who may do everything."""
    _, token = manager_of(server, "realm-admin")
    uuid = server.client_uuid("realm-management")
    role = server.role("realm-management", "manage-realm")
    refused: list[tuple[str, str, Any]] = [
        ("PUT", f"/clients/{uuid}", {"clientId": "old"}),
        ("DELETE", f"/clients/{uuid}", None),
        ("POST", f"/clients/{uuid}/roles", {"name": "new"}),
        ("PUT", f"/clients/{uuid}/roles/view-events", {"name": "view-events", "description": "x"}),
        ("DELETE", f"/clients/{uuid}/roles/view-events", None),
        ("POST", f"/clients/{uuid}/roles/query-users/composites", [role]),
        ("POST", f"/clients/{uuid}/protocol-mappers/models", {"name": "m", "protocolMapper": "oidc-sub-mapper"}),
        ("PUT", f"/roles-by-id/{role['id']}", {"name": "other"}),
        ("DELETE", f"/roles-by-id/{role['id']}", None),
    ]
    for who in (token, server.administrator()):
        for method, path, document in refused:
            answer = server.admin(method, f"/demo{path}", document, token=who)
            assert answer.status_code == 403, (method, path, answer.text)


def test_a_client_does_not_pass_for_the_realm(server: Deployment) -> None:
    """Roles are kept by the id of their owner: a client of the realm's id would own the realm's roles."""
    _, token = manager_of(server, "manage-clients")
    realm_id = server.admin("GET", "/demo").json()["id"]
    answer = server.admin("POST", "/demo/clients", {"clientId": "shadow", "id": realm_id}, token=token)
    assert answer.status_code == 409
    assert len(server.admin("GET", "/demo/roles").json()) == 3


@pytest.mark.parametrize("claim", ["sub", "azp", "sid", "jti", "typ", "iss", "preferred_username", "client_id"])
def test_no_mapper_makes_an_administrator(server: Deployment, claim: str) -> None:
    """Who may edit a client decides what its tokens say, but not whose they are. (In Keycloak, ``sub`` does.)"""
    boss = server.person("boss", "password", "realm-admin")
    session = server.login("boss", "password")["session_state"]
    _, token = manager_of(server, "manage-clients")
    values = {"sub": boss, "sid": session, "azp": "admin-cli", "preferred_username": "boss"}
    claims = {claim, "sub", "sid"} if claim in {"azp", "sid"} else {claim}
    mappers = [
        {
            "name": name,
            "protocol": "openid-connect",
            "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": {"claim.name": name, "claim.value": values.get(name, "x"), "access.token.claim": "true"},
        }
        for name in sorted(claims)
    ]
    document = {"clientId": "mole", "secret": "s", "serviceAccountsEnabled": True, "protocolMappers": mappers}
    server.created("/demo/clients", document, token=token)
    moles = server.client_token("mole", "s")
    assert server.admin("GET", "/demo/users", token=moles).status_code in {401, 403}
    assert server.admin("POST", "/demo/users", {"username": "mole2"}, token=moles).status_code in {401, 403}


def test_a_hardcoded_role_is_no_right(server: Deployment) -> None:
    _, token = manager_of(server, "manage-clients")
    mapper = {
        "name": "m",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-hardcoded-role-mapper",
        "config": {"role": "realm-management.realm-admin"},
    }
    document = {"clientId": "mole", "secret": "s", "serviceAccountsEnabled": True, "protocolMappers": [mapper]}
    server.created("/demo/clients", document, token=token)
    assert server.admin("GET", "/demo/users", token=server.client_token("mole", "s")).status_code == 403


def test_rights_in_master_are_given_realm_by_realm(server: Deployment) -> None:
    """Who manages master's users gives no rights in demo: those are roles of the client ``demo-realm``."""
    user = server.person("manager", "password", "manage-users", "manage-clients", "view-realm", realm="master")
    token = server.login("manager", "password", realm="master")["access_token"]
    for client_id, name in (
        ("demo-realm", "manage-realm"),
        ("demo-realm", "view-users"),
        ("master-realm", "manage-realm"),
    ):
        role = server.role(client_id, name, realm="master")
        mapping = f"/master/users/{user}/role-mappings/clients/{role['containerId']}"
        assert server.admin("POST", mapping, [role], token=token).status_code == 403, name
        uuid = role["containerId"]
        assert server.admin("DELETE", f"/master/clients/{uuid}/roles/{name}", token=token).status_code == 403
        assert server.admin("POST", f"/master/clients/{uuid}/roles", {"name": "new"}, token=token).status_code == 403
    for name in ("admin", "create-realm"):
        role = server.admin("GET", f"/master/roles/{name}").json()
        mapping = f"/master/users/{user}/role-mappings/realm"
        assert server.admin("POST", mapping, [role], token=token).status_code == 403
    assert server.admin("GET", "/demo/users", token=token).status_code == 403


@pytest.mark.parametrize("by", ["groups", "realmRoles", "clientRoles"])
def test_a_new_user_brings_no_rights_along(server: Deployment, by: str) -> None:
    _, token = manager_of(server, "manage-users", "view-clients")
    right = server.role("realm-management", "realm-admin")
    group = server.created("/demo/groups", {"name": "admins"})
    path = f"/demo/groups/{group}/role-mappings/clients/{right['containerId']}"
    assert server.admin("POST", path, [right]).status_code == 204
    brought: dict[str, Any] = {
        "groups": {},  # joining a group is what managing users is about, as in Keycloak
        "realmRoles": {"realmRoles": ["offline_access"]},
        "clientRoles": {"clientRoles": {"realm-management": ["realm-admin"]}},
    }
    answer = server.admin("POST", "/demo/users", {"username": "brought", "enabled": True, **brought[by]}, token=token)
    assert answer.status_code == 201, answer.text
    made = answer.headers["location"].rpartition("/")[2]
    held = server.admin("GET", f"/demo/users/{made}/role-mappings/clients/{right['containerId']}").json()
    assert held == []
