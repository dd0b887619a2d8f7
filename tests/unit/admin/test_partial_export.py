"""Partial exports: what they hold, what they keep to themselves, who may have one."""

from typing import Any

import pytest

from admin_server import Server


@pytest.fixture(scope="module")
def furnished(shared_server: Server) -> Server:
    """A realm with one of each."""
    created = shared_server.call(
        "POST",
        "/demo/partialImport",
        {
            "clients": [
                {"clientId": "svc", "secret": "svc-secret", "serviceAccountsEnabled": True},
                {"clientId": "vaulted", "secret": "${vault.svc}", "attributes": {"client.secret.rotated": "old"}},
            ],
            "roles": {
                "realm": [{"name": "outer", "composites": {"realm": ["inner"]}}, {"name": "inner"}],
                "client": {"svc": [{"name": "call"}]},
            },
            "groups": [{"name": "team", "path": "/team", "subGroups": [{"name": "sub"}]}],
            "users": [
                {"username": "ada", "credentials": [{"type": "password", "value": "pw"}]},
                {
                    "username": "service-account-svc",
                    "serviceAccountClientId": "svc",
                    "realmRoles": ["inner"],
                    "clientRoles": {"svc": ["call"]},
                    "groups": ["/team/sub"],
                },
            ],
        },
    )
    assert created.status == 200, created.body
    return shared_server


def exported(server: Server, query: str = "") -> Any:
    answer = server.call("POST", "/demo/partial-export", query=query)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.body


ALL = "exportClients=true&exportGroupsAndRoles=true"


def test_holds_settings_scopes_and_components_only_unless_more_is_asked_for(furnished: Server) -> None:
    plain = exported(furnished)
    assert not {"clients", "roles", "groups", "users", "clientScopeMappings"} & plain.keys()
    assert {"clientScopes", "components", "authenticationFlows", "requiredActions", "scopeMappings"} <= plain.keys()
    with_roles = exported(furnished, "exportGroupsAndRoles=true")
    assert set(with_roles["roles"]) == {"realm"}
    assert [group["path"] for group in with_roles["groups"]] == ["/team"]
    assert "users" not in with_roles
    with_clients = exported(furnished, "exportClients=TRUE")
    assert [user["username"] for user in with_clients["users"]] == ["service-account-svc"]
    assert not {"realmRoles", "groups", "credentials"} & with_clients["users"][0].keys()
    assert "roles" not in with_clients


def test_names_stand_for_ids(furnished: Server) -> None:
    whole = exported(furnished, ALL)
    (account,) = whole["users"]
    assert account["serviceAccountClientId"] == "svc"
    assert (account["realmRoles"], account["clientRoles"], account["groups"]) == (
        ["inner"],
        {"svc": ["call"]},
        ["/team/sub"],
    )
    (outer,) = [role for role in whole["roles"]["realm"] if role["name"] == "outer"]
    assert (outer["composite"], outer["composites"]) == (True, {"realm": ["inner"]})
    assert whole["groups"][0]["subGroups"][0]["path"] == "/team/sub"
    assert "profile" in whole["defaultDefaultClientScopes"]
    (client,) = [client for client in whole["clients"] if client["clientId"] == "svc"]
    assert "profile" in client["defaultClientScopes"]


def test_secrets_are_masked_but_not_names_of_secrets_in_a_vault(furnished: Server) -> None:
    smtp = {"host": "h", "from": "a@example.com", "auth": "true", "password": "canary"}
    furnished.call("PUT", "/demo", {"smtpServer": smtp})
    whole = exported(furnished, ALL)
    secrets = {client["clientId"]: client.get("secret") for client in whole["clients"]}
    assert (secrets["svc"], secrets["vaulted"]) == ("**********", "${vault.svc}")
    (vaulted,) = [client for client in whole["clients"] if client["clientId"] == "vaulted"]
    assert vaulted["attributes"]["client.secret.rotated"] == "**********"
    assert whole["smtpServer"]["password"] == "**********"
    configs = [each["config"] for each in whole["components"]["org.keycloak.keys.KeyProvider"]]
    assert all(not {"privateKey", "secret", "certificate"} & config.keys() for config in configs)
    assert not [secret for secret in ("svc-secret", "canary") if secret in str(whole)]


def test_takes_the_rights_to_see_what_is_exported(furnished: Server) -> None:
    manager = furnished.holder_of("manage-realm")
    clients = furnished.holder_of("manage-realm", "view-clients")
    groups = furnished.holder_of("manage-realm", "query-groups")
    viewer = furnished.holder_of("view-realm", "view-clients", "view-users")

    def statuses(token: str) -> list[int]:
        queries = ("", "exportClients=true", "exportGroupsAndRoles=true")
        return [furnished.call("POST", "/demo/partial-export", query=query, token=token).status for query in queries]

    assert statuses(manager) == [200, 403, 403]
    assert statuses(clients) == [200, 200, 403]
    assert statuses(groups) == [200, 403, 200]
    assert statuses(viewer) == [403, 403, 403]


def test_what_was_exported_makes_the_same_realm_again(furnished: Server) -> None:
    """The first import fills in what Keycloak fills in; from then on nothing changes."""
    seen = [exported(furnished, ALL)]
    for _ in range(2):
        assert furnished.call("DELETE", "/demo").status == 204
        assert furnished.call("POST", "", seen[-1]).status == 201
        seen.append(exported(furnished, ALL))
    assert seen[2] == seen[1]
    assert [role["id"] for role in seen[1]["roles"]["realm"]] == [role["id"] for role in seen[0]["roles"]["realm"]]


def test_what_is_secret_in_the_configuration_of_a_step_is_masked(furnished: Server) -> None:
    below = "/demo/authentication"
    assert furnished.call("POST", f"{below}/flows/registration/copy", {"newName": "with captcha"}).status == 201
    told = furnished.call("GET", f"{below}/flows/with captcha/executions").body
    (step,) = [each["id"] for each in told if each.get("providerId") == "registration-recaptcha-action"]
    config = {"site.key": "open", "secret.key": "canary", "odd": "canary"}
    sent = {"alias": "captcha", "config": config}
    assert furnished.call("POST", f"{below}/executions/{step}/config", sent).status == 201
    whole = exported(furnished)
    (shown,) = [each["config"] for each in whole["authenticatorConfig"] if each["alias"] == "captcha"]
    assert shown == {"site.key": "open", "secret.key": "**********", "odd": "**********"}
    assert "canary" not in str(whole)
