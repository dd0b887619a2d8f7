"""What is taken away counts at once, whatever tokens are about: every door asks what is true now."""

from collections.abc import Callable

import pytest

from harness.deployment import Deployment
from harness.gates import CLIENT, EVERYWHERE, NOWHERE, SECRET, add_operator, opened, operator_token


def account_of(server: Deployment, uuid: str) -> str:
    return str(server.admin("GET", f"/demo/clients/{uuid}/service-account-user").json()["id"])


def take_the_role(server: Deployment, uuid: str) -> None:
    server.give(account_of(server, uuid), "realm-management", "realm-admin", method="DELETE")


def narrow_the_scope(server: Deployment, uuid: str) -> None:
    assert server.admin("PUT", f"/demo/clients/{uuid}", {"fullScopeAllowed": False}).status_code == 204


@pytest.mark.parametrize("take", [take_the_role, narrow_the_scope])
def test_an_administrator_without_the_right_is_refused_at_once(
    server: Deployment, take: Callable[[Deployment, str], None]
) -> None:
    uuid = add_operator(server)
    token = operator_token(server)
    assert opened(server, token) == EVERYWHERE
    take(server, uuid)
    assert opened(server, token) == EVERYWHERE - {"admin"}


def test_a_role_held_by_a_group_or_a_composite_goes_with_it(server: Deployment) -> None:
    user = server.person("ada", "password")
    group = server.created("/demo/groups", {"name": "operators"})
    role = server.role("realm-management", "manage-users")
    path = f"/demo/groups/{group}/role-mappings/clients/{role['containerId']}"
    assert server.admin("POST", path, [role]).status_code == 204
    assert server.admin("PUT", f"/demo/users/{user}/groups/{group}").status_code == 204
    token = server.login("ada", "password")["access_token"]
    assert server.admin("GET", "/demo/users", token=token).status_code == 200
    assert server.admin("DELETE", f"/demo/users/{user}/groups/{group}").status_code == 204
    assert server.admin("GET", "/demo/users", token=token).status_code == 403


def disable_the_client(server: Deployment, uuid: str) -> None:
    assert server.admin("PUT", f"/demo/clients/{uuid}", {"enabled": False}).status_code == 204


def delete_the_client(server: Deployment, uuid: str) -> None:
    assert server.admin("DELETE", f"/demo/clients/{uuid}").status_code == 204


def rename_the_client(server: Deployment, uuid: str) -> None:
    assert server.admin("PUT", f"/demo/clients/{uuid}", {"clientId": "renamed"}).status_code == 204


def switch_the_service_account_off(server: Deployment, uuid: str) -> None:
    assert server.admin("PUT", f"/demo/clients/{uuid}", {"serviceAccountsEnabled": False}).status_code == 204


def disable_the_user(server: Deployment, uuid: str) -> None:
    assert server.admin("PUT", f"/demo/users/{account_of(server, uuid)}", {"enabled": False}).status_code == 204


def delete_the_user(server: Deployment, uuid: str) -> None:
    assert server.admin("DELETE", f"/demo/users/{account_of(server, uuid)}").status_code == 204


@pytest.mark.parametrize(
    "end",
    [
        disable_the_client,
        delete_the_client,
        rename_the_client,
        switch_the_service_account_off,
        disable_the_user,
        delete_the_user,
    ],
)
def test_a_token_ends_with_what_it_stands_on(server: Deployment, end: Callable[[Deployment, str], None]) -> None:
    uuid = add_operator(server)
    token = operator_token(server)
    end(server, uuid)
    server.client("witness", "secret")
    headers = {"authorization": f"Bearer {token}"}
    userinfo = server.request("GET", "/realms/demo/protocol/openid-connect/userinfo", headers=headers)
    assert userinfo.status_code == 401
    assert server.request("GET", "/admin/realms/demo/users", headers=headers).status_code == 401


def test_nothing_of_a_disabled_realm_counts(server: Deployment) -> None:
    add_operator(server)
    token = operator_token(server)
    assert server.admin("PUT", "/demo", {"enabled": False}).status_code == 204
    headers = {"authorization": f"Bearer {token}"}
    assert server.request("GET", "/admin/realms/demo", headers=headers).status_code == 401
    userinfo = server.request("GET", "/realms/demo/protocol/openid-connect/userinfo", headers=headers)
    assert userinfo.status_code == 401
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
    assert server.protocol("token", form).status_code == 403


def test_a_revoked_token_opens_nothing(server: Deployment) -> None:
    add_operator(server)
    token, other = operator_token(server), operator_token(server)
    form = {"token": token, "client_id": CLIENT, "client_secret": SECRET}
    assert server.protocol("revoke", form).status_code == 200
    assert opened(server, token) == NOWHERE
    assert opened(server, other) == EVERYWHERE


def test_nobody_revokes_anothers_token(server: Deployment) -> None:
    add_operator(server)
    token = operator_token(server)
    server.client("other", "secret")
    form = {"token": token, "client_id": "other", "client_secret": "secret"}
    assert server.protocol("revoke", form).status_code == 400
    assert opened(server, token) == EVERYWHERE


def by_refresh_token(server: Deployment, user: str, tokens: dict[str, str]) -> None:
    form = {"client_id": "admin-cli", "refresh_token": tokens["refresh_token"]}
    assert server.protocol("logout", form).status_code == 204


def by_revocation(server: Deployment, user: str, tokens: dict[str, str]) -> None:
    form = {"client_id": "admin-cli", "token": tokens["refresh_token"]}
    assert server.protocol("revoke", form).status_code == 200


def by_an_administrator(server: Deployment, user: str, tokens: dict[str, str]) -> None:
    assert server.admin("DELETE", f"/demo/sessions/{tokens['session_state']}").status_code == 204


def of_every_session_of_the_user(server: Deployment, user: str, tokens: dict[str, str]) -> None:
    assert server.admin("POST", f"/demo/users/{user}/logout").status_code == 204


@pytest.mark.parametrize(
    "log_out", [by_refresh_token, by_revocation, by_an_administrator, of_every_session_of_the_user]
)
def test_a_logged_out_session_is_over(
    server: Deployment, log_out: Callable[[Deployment, str, dict[str, str]], None]
) -> None:
    user = server.person("ada", "password", "view-users")
    tokens = server.login("ada", "password")
    assert server.admin("GET", "/demo/users", token=tokens["access_token"]).status_code == 200
    log_out(server, user, tokens)
    assert server.admin("GET", "/demo/users", token=tokens["access_token"]).status_code == 401
    form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": tokens["refresh_token"]}
    assert server.protocol("token", form).json()["error"] == "invalid_grant"


def test_a_session_ends_by_itself(server: Deployment) -> None:
    """An access token never outlives the session, even if it says that it does."""
    assert server.admin("PUT", "/demo", {"accessTokenLifespan": 90000, "ssoSessionIdleTimeout": 60}).status_code == 204
    server.person("ada", "password", "view-users")
    token = server.login("ada", "password")["access_token"]
    server.clock.now += 61
    assert server.admin("GET", "/demo/users", token=token).status_code == 401


def test_a_refresh_token_used_again_ends_the_session_of_its_client(server: Deployment) -> None:
    """RFC 9700 §4.14.2, where the realm asks for it: one of the two users is a thief."""
    server.admin("PUT", "/demo", {"revokeRefreshToken": True})
    server.person("ada", "password", "view-users")
    tokens = server.login("ada", "password")
    form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": tokens["refresh_token"]}
    newer = server.protocol("token", form).json()
    assert server.protocol("token", form).json()["error"] == "invalid_grant"
    for access_token in (tokens["access_token"], newer["access_token"]):
        assert server.admin("GET", "/demo/users", token=access_token).status_code == 401
    assert server.protocol("token", form | {"refresh_token": newer["refresh_token"]}).json()["error"] == "invalid_grant"
