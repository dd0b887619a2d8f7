"""Partial imports: what comes, what is there already, what is refused, and what is left of it: nothing."""

from typing import Any

import pytest

from admin_server import Answer, Server


def imported(server: Server, policy: str = "FAIL", **documents: Any) -> Answer:
    return server.call("POST", "/demo/partialImport", {"ifResourceExists": policy, **documents})


def results(answer: Answer) -> set[tuple[str, str, str]]:
    assert answer.status == 200, answer.body
    return {(each["action"], each["resourceType"], each["resourceName"]) for each in answer.body["results"]}


def client(server: Server, client_id: str) -> dict[str, Any]:
    (found,) = server.call("GET", "/demo/clients", query=f"clientId={client_id}").body
    return dict(found)


def user(server: Server, username: str) -> dict[str, Any]:
    (found,) = server.call("GET", "/demo/users", query=f"username={username}&exact=true").body
    return dict(found)


def test_everything_comes_in_one_transaction_and_is_counted(shared_server: Server) -> None:
    answer = imported(
        shared_server,
        clients=[{"clientId": "all-client", "secret": "s", "serviceAccountsEnabled": True}],
        roles={"realm": [{"name": "all-role"}], "client": {"all-client": [{"name": "call"}]}},
        groups=[{"name": "all", "path": "/all", "realmRoles": ["all-role"], "subGroups": [{"name": "below"}]}],
        users=[
            {
                "username": "service-account-all-client",
                "serviceAccountClientId": "all-client",
                "enabled": True,
                "clientRoles": {"all-client": ["call"]},
                "groups": ["/all/below"],
            }
        ],
    )
    assert results(answer) == {
        ("ADDED", "CLIENT", "all-client"),
        ("ADDED", "REALM_ROLE", "all-role"),
        ("ADDED", "CLIENT_ROLE", "all-client-->call"),
        ("ADDED", "GROUP", "all"),
        ("ADDED", "USER", "service-account-all-client"),
    }
    assert (answer.body["added"], answer.body["skipped"], answer.body["overwritten"]) == (5, 0, 0)
    found = client(shared_server, "all-client")
    account = shared_server.call("GET", f"/demo/clients/{found['id']}/service-account-user").body
    mappings = shared_server.call("GET", f"/demo/users/{account['id']}/role-mappings").body
    assert [role["name"] for role in mappings["clientMappings"]["all-client"]["mappings"]] == ["call"]
    assert "realmMappings" not in mappings, "the default role is not given"
    assert [group["path"] for group in shared_server.call("GET", f"/demo/users/{account['id']}/groups").body] == [
        "/all/below"
    ]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ({"clients": [{"clientId": "there"}]}, "Client id 'there' already exists"),
        ({"roles": {"realm": [{"name": "there"}]}}, "Realm role 'there' already exists."),
        (
            {"roles": {"client": {"there": [{"name": "there"}]}}},
            "Client role 'there' for client 'there' already exists.",
        ),
        ({"groups": [{"name": "there", "path": "/there"}]}, "Group '/there' already exists"),
        ({"users": [{"username": "There"}]}, "User with user name There already exists."),
        ({"users": [{"username": "o", "email": "There@example.org"}]}, "User with user name o already exists."),
        (
            {"identityProviders": [{"alias": "there", "providerId": "oidc"}]},
            "Identity Provider 'there' already exists.",
        ),
    ],
)
def test_fail_refuses_what_is_there_and_keeps_nothing(server: Server, documents: Any, message: str) -> None:
    there: dict[str, Any] = {
        "clients": [{"clientId": "there"}],
        "roles": {"realm": [{"name": "there"}], "client": {"there": [{"name": "there"}]}},
        "groups": [{"name": "there", "path": "/there"}],
        "users": [{"username": "there", "email": "there@example.org"}],
        "identityProviders": [{"alias": "there", "providerId": "oidc"}],
    }
    imported(server, **there)
    clients = [{"clientId": "before"}, *documents.get("clients", [])]
    answer = imported(server, **documents | {"clients": clients})
    assert (answer.status, answer.body) == (409, {"errorMessage": message})
    assert server.call("GET", "/demo/clients", query="clientId=before").body == []


def test_skip_leaves_what_is_there_and_adds_the_rest(shared_server: Server) -> None:
    imported(shared_server, clients=[{"clientId": "kept", "description": "first"}])
    answer = imported(
        shared_server, "SKIP", clients=[{"clientId": "kept", "description": "second"}, {"clientId": "kept-2"}]
    )
    assert results(answer) == {("SKIPPED", "CLIENT", "kept"), ("ADDED", "CLIENT", "kept-2")}
    assert client(shared_server, "kept")["description"] == "first"


def test_overwrite_takes_the_place_and_with_it_all_that_was_held(shared_server: Server) -> None:
    imported(
        shared_server,
        roles={"realm": [{"name": "replaced", "attributes": {"a": ["b"]}}]},
        users=[{"username": "holder", "realmRoles": ["replaced"]}],
    )
    before = shared_server.call("GET", "/demo/roles/replaced").body
    answer = imported(shared_server, "OVERWRITE", roles={"realm": [{"name": "replaced", "description": "new"}]})
    assert results(answer) == {("ADDED", "REALM_ROLE", "replaced"), ("OVERWRITTEN", "REALM_ROLE", "replaced")}
    after = shared_server.call("GET", "/demo/roles/replaced").body
    assert after["id"] != before["id"]
    assert after["attributes"] == {}
    holder = user(shared_server, "holder")["id"]
    assert shared_server.call("GET", f"/demo/users/{holder}/role-mappings").body == {}


def test_a_client_that_is_overwritten_loses_its_service_account_until_one_is_asked_for(shared_server: Server) -> None:
    document = {"clientId": "machine", "secret": "s", "serviceAccountsEnabled": True}
    created = shared_server.call("POST", "/demo/clients", document)
    before = shared_server.call("GET", f"/demo/clients/{created.id}/service-account-user").body
    imported(shared_server, "OVERWRITE", clients=[document])
    found = client(shared_server, "machine")
    assert found["id"] != created.id
    assert "service_account" not in found["defaultClientScopes"]
    after = shared_server.call("GET", f"/demo/clients/{found['id']}/service-account-user").body
    assert after["id"] != before["id"]


def test_the_clients_of_every_realm_are_passed_by(shared_server: Server) -> None:
    for policy in ("FAIL", "SKIP", "OVERWRITE"):
        answer = imported(shared_server, policy, clients=[{"clientId": "account", "description": "mine"}])
        assert answer.body == {"overwritten": 0, "added": 0, "skipped": 0, "results": []}
    assert "description" not in client(shared_server, "account")


def test_a_replaced_default_role_is_the_default_role_still(server: Server) -> None:
    usual = {"name": "default-roles-demo", "description": "mine", "composites": {"realm": ["offline_access"]}}
    imported(server, "OVERWRITE", roles={"realm": [usual]})
    role = server.call("GET", "/demo/roles/default-roles-demo").body
    default = server.call("GET", "/demo").body["defaultRole"]
    assert (default["id"], default["description"], default["composite"]) == (role["id"], "mine", True)
    made = server.call("POST", "/demo/users", {"username": "new"})
    held = server.call("GET", f"/demo/users/{made.id}/role-mappings/realm").body
    assert [each["id"] for each in held] == [role["id"]]


def test_roles_contain_roles_that_come_with_them(shared_server: Server) -> None:
    imported(
        shared_server,
        clients=[{"clientId": "composed"}],
        roles={
            "realm": [
                {"name": "outer", "composites": {"realm": ["inner"], "client": {"composed": ["part"]}}},
                {"name": "inner"},
            ],
            "client": {"composed": [{"name": "part"}]},
        },
    )
    found = shared_server.call("GET", "/demo/roles/outer/composites").body
    assert sorted(role["name"] for role in found) == ["inner", "part"]


def test_roles_that_users_and_groups_hold_are_made_where_they_are_not_there(shared_server: Server) -> None:
    imported(
        shared_server, users=[{"username": "maker", "realmRoles": ["made-up"], "clientRoles": {"account": ["own"]}}]
    )
    assert shared_server.call("GET", "/demo/roles/made-up").status == 200
    account = client(shared_server, "account")["id"]
    assert shared_server.call("GET", f"/demo/clients/{account}/roles/own").status == 200


def test_passwords_come_plain_or_hashed_and_are_kept_hashed(shared_server: Server) -> None:
    hashed = {
        "type": "password",
        "secretData": '{"value":"YWJj","salt":"YWJjZGVmZ2g="}',
        "credentialData": '{"hashIterations":1,"algorithm":"pbkdf2-sha512"}',
    }
    imported(
        shared_server,
        users=[
            {"username": "plain", "credentials": [{"type": "password", "value": "pw"}]},
            {"username": "hashed", "credentials": [hashed]},
        ],
    )
    algorithms = {"plain": "argon2", "hashed": "pbkdf2-sha512"}
    for name, algorithm in algorithms.items():
        path = f"/demo/users/{user(shared_server, name)['id']}/credentials"
        (credential,) = shared_server.call("GET", path).body
        assert f'"algorithm":"{algorithm}"' in credential["credentialData"]


@pytest.mark.parametrize(
    ("documents", "status", "body"),
    [
        (
            {"roles": {"client": {"nobody": []}}},
            412,
            {"errorMessage": "Can not import client roles for nonexistent client named nobody"},
        ),
        ({"clients": [{"clientId": "twin"}, {"clientId": "twin"}]}, 409, {"errorMessage": "Duplicate resource error"}),
        ({"users": [{"username": "twin"}, {"username": "twin"}]}, 409, {"errorMessage": "Duplicate resource error"}),
        ({"groups": [{"name": "twin", "path": "/twin"}] * 2}, 409, {"errorMessage": "Duplicate resource error"}),
    ],
)
def test_refuses_in_keycloaks_words(shared_server: Server, documents: Any, status: int, body: Any) -> None:
    answer = imported(shared_server, **documents)
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize(
    "documents",
    [
        {"clients": [{"description": "nameless"}]},
        {"clients": [{"clientId": "x", "authenticationFlowBindingOverrides": {"browser": "none"}}]},
        {"clients": [{"clientId": "x", "protocolMappers": [{"protocol": "openid-connect"}]}]},
        {"roles": {"realm": [{"description": "nameless"}]}},
        {"roles": {"realm": [{"name": "twin"}, {"name": "twin"}]}},
        {"roles": {"realm": [{"name": "x", "composites": {"realm": ["nothing"]}}]}},
        {"roles": {"realm": [{"name": "x", "composites": {"client": {"nobody": ["nothing"]}}}]}},
        {"groups": [{"name": "x"}]},
        {"groups": [{"name": "x", "path": "/y"}]},
        {"groups": [{"name": "x", "path": "/x", "clientRoles": {"nobody": ["nothing"]}}]},
        {"users": [{"email": "x@example.org"}]},
        {"users": [{"username": "x", "groups": ["/nowhere"]}]},
        {"users": [{"username": "x", "serviceAccountClientId": "nobody"}]},
        {"users": [{"username": "x", "clientRoles": {"nobody": ["nothing"]}}]},
        {"users": [{"username": "x" * 256}]},
        {"identityProviders": [{"alias": "x", "providerId": "none"}]},
        {"ifResourceExists": "NOTHING"},
        [1],
        b"{",
        b"",
    ],
)
def test_says_what_is_wrong_where_keycloak_fails(shared_server: Server, documents: Any) -> None:
    answer = shared_server.call("POST", "/demo/partialImport", documents, content_type="application/json")
    assert answer.status == 400
    assert answer.body["error"] in {"invalid_request", "unknown_error"}


def test_unknown_fields_of_the_document_itself_are_ignored_and_others_are_not(shared_server: Server) -> None:
    assert imported(shared_server, color="red").status == 200
    assert imported(shared_server, clients=[{"clientId": "x", "color": "red"}]).status == 400


def test_identity_providers_are_kept_for_exports(server: Server) -> None:
    provider = {"alias": "google", "providerId": "google", "config": {"clientSecret": "s"}}
    mapper = {"name": "m", "identityProviderAlias": "google", "identityProviderMapper": "hardcoded-role-idp-mapper"}
    answer = imported(server, identityProviders=[provider], identityProviderMappers=[mapper])
    assert results(answer) == {("ADDED", "IDP", "google"), ("ADDED", "IDP_MAPPER", "m")}
    exported = server.call("POST", "/demo/partial-export").body
    assert [each["config"]["clientSecret"] for each in exported["identityProviders"]] == ["**********"]
    assert [each["name"] for each in exported["identityProviderMappers"]] == ["m"]
    imported(server, "OVERWRITE", identityProviders=[{"alias": "google", "providerId": "google"}])
    exported = server.call("POST", "/demo/partial-export").body
    assert exported["identityProviders"][0]["config"] == {"issuer": "https://accounts.google.com"}
    assert exported["identityProviderMappers"] == []


def test_takes_the_right_to_manage_the_realm_before_it_is_read(shared_server: Server) -> None:
    holder = shared_server.holder_of("manage-clients", "manage-users")
    answer = shared_server.call("POST", "/demo/partialImport", b"{", token=holder)
    assert answer.status == 403
    manager = shared_server.holder_of("manage-realm")
    assert imported(shared_server, clients=[]).status == 200
    assert shared_server.call("POST", "/demo/partialImport", {"users": []}, token=manager).status == 200


def test_each_document_is_an_event_of_the_realm(server: Server) -> None:
    server.call("PUT", "/demo", {"adminEventsEnabled": True, "adminEventsDetailsEnabled": True})
    server.call("DELETE", "/demo/admin-events")
    imported(server, clients=[{"clientId": "told", "secret": "canary"}], roles={"realm": [{"name": "told"}]})
    imported(server, "SKIP", clients=[{"clientId": "told"}])
    found = server.call("GET", "/demo/admin-events").body
    role, told = server.call("GET", "/demo/roles/told").body, client(server, "told")
    assert sorted((each["operationType"], each["resourceType"], each["resourcePath"]) for each in found) == [
        ("CREATE", "REALM", f"clients/{told['id']}"),
        ("CREATE", "REALM", f"realms/{role['id']}"),
    ]
    assert "canary" not in str(found)
