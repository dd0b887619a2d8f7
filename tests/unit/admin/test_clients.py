"""Clients: what becomes of what is posted and put."""

from typing import Any

import pytest

from admin_server import Server

CLIENTS = "/demo/clients"


def made(server: Server, **client: Any) -> str:
    """The path of a new client."""
    answer = server.call("POST", CLIENTS, client)
    assert answer.status == 201, answer
    return f"{CLIENTS}/{answer.id}"


def told(server: Server, path: str) -> Any:
    return server.call("GET", path).body


def test_creates_the_client_of_the_walk_through(server: Server) -> None:
    posted = {
        "clientId": "backend-service",
        "enabled": True,
        "clientAuthenticatorType": "client-secret",
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "publicClient": False,
    }
    path = made(server, **posted)
    client = told(server, path)
    assert posted.items() <= client.items()
    assert len(client["secret"]) == 86
    assert client["attributes"]["client.secret.creation.time"] == str(int(server.now))
    assert set(client["defaultClientScopes"]) == {
        *("acr", "basic", "email", "profile", "roles", "service_account", "web-origins"),
    }
    assert client["access"] == {"view": True, "configure": True, "manage": True}
    user = told(server, f"{path}/service-account-user")
    assert user["username"] == "service-account-backend-service"
    assert told(server, f"{path}/client-secret") == {"type": "secret", "value": client["secret"]}


def test_keeps_a_given_secret_and_tells_no_time_of_it(server: Server) -> None:
    client = told(server, made(server, clientId="svc", secret="given"))
    assert client["secret"] == "given"
    assert "client.secret.creation.time" not in client["attributes"]


def test_a_public_client_has_no_secret_until_it_is_confidential(server: Server) -> None:
    path = made(server, clientId="svc", secret="given")
    assert server.call("PUT", path, {"publicClient": True}).status == 204
    assert told(server, f"{path}/client-secret") == {"type": "secret"}
    assert server.call("PUT", path, {"publicClient": False}).status == 204
    assert len(told(server, f"{path}/client-secret")["value"]) == 86


def test_a_new_secret_replaces_the_old_one(server: Server) -> None:
    path = made(server, clientId="svc", secret="old")
    fresh = server.call("POST", f"{path}/client-secret").body["value"]
    assert fresh != "old"
    assert told(server, path)["secret"] == fresh


def test_put_merges_attributes_and_replaces_lists(server: Server) -> None:
    path = made(
        server, clientId="svc", attributes={"a": "1", "b": "2", "c": ""}, redirectUris=["https://a", "https://b"]
    )
    change = {"attributes": {"a": None, "b": "", "d": "4", "realm_client": "true"}, "redirectUris": ["https://c"]}
    assert server.call("PUT", path, change).status == 204
    client = told(server, path)
    assert {name: value for name, value in client["attributes"].items() if len(name) == 1} == {"d": "4"}
    assert client["attributes"]["realm_client"] == "false"
    assert client["redirectUris"] == ["https://c"]


def test_put_ignores_null_and_what_is_not_a_clients_own(server: Server) -> None:
    path = made(server, clientId="svc", name="Svc")
    before = told(server, path)
    change: dict[str, Any] = {
        "name": None,
        "id": "other",
        "defaultClientScopes": [],
        "access": {"manage": False},
        "origin": "x",
    }
    assert server.call("PUT", path, change).status == 204
    assert told(server, path) == before


def test_putting_a_client_back_changes_nothing(server: Server) -> None:
    path = made(server, clientId="svc", serviceAccountsEnabled=True, attributes={"a": "1"})
    before = told(server, path)
    assert server.call("PUT", path, before).status == 204
    assert told(server, path) == before


def test_who_asks_for_a_service_account_gets_its_scope_back(server: Server) -> None:
    path = f"/demo/clients/{server.call('POST', '/demo/clients', {'clientId': 'svc'}).id}"
    (scope,) = [
        each["id"] for each in server.call("GET", "/demo/client-scopes").body if each["name"] == "service_account"
    ]
    assert server.call("PUT", f"{path}/optional-client-scopes/{scope}").status == 204
    for change, there in (({}, False), ({"serviceAccountsEnabled": True}, True)):
        assert server.call("PUT", path, change).status == 204
        assert ("service_account" in told(server, path)["defaultClientScopes"]) is there
    assert "service_account" not in told(server, path)["optionalClientScopes"]
    server.call("DELETE", f"{path}/default-client-scopes/{scope}")
    for change, there in (({}, False), ({"serviceAccountsEnabled": True}, True)):
        server.call("PUT", path, change)
        assert ("service_account" in told(server, path)["defaultClientScopes"]) is there


def test_the_service_account_follows_its_client(server: Server) -> None:
    path = made(server, clientId="Svc", serviceAccountsEnabled=True)
    user = told(server, f"{path}/service-account-user")
    assert server.call("PUT", path, {"clientId": "Renamed"}).status == 204
    assert told(server, f"{path}/service-account-user") == {**user, "username": "service-account-renamed"}
    assert server.call("PUT", path, {"serviceAccountsEnabled": False}).status == 204
    gone = server.call("GET", f"{path}/service-account-user")
    assert (gone.status, gone.body) == (400, {"error": "Service account not enabled for the client 'Renamed'"})
    assert "service_account" not in told(server, path)["defaultClientScopes"]
    assert server.call("PUT", path, {"serviceAccountsEnabled": True}).status == 204
    assert told(server, f"{path}/service-account-user")["id"] != user["id"]
    assert "service_account" in told(server, path)["defaultClientScopes"]


def test_a_removed_client_takes_its_roles_and_its_user_along(server: Server) -> None:
    path = made(server, clientId="svc", serviceAccountsEnabled=True)
    assert server.call("POST", f"{path}/roles", {"name": "r"}).status == 201
    assert server.call("DELETE", path).status == 204
    assert server.call("GET", path).body == {"error": "Could not find client"}
    made(server, clientId="svc", serviceAccountsEnabled=True)


@pytest.mark.parametrize(
    ("client", "error"),
    [
        ({"clientId": ""}, "Client ID cannot be blank"),
        ({"clientId": "x", "id": "y" * 37}, "Client ID must not exceed 36 characters"),
        ({"clientId": "x", "protocol": "nope"}, "Invalid protocol: nope"),
        ({"clientId": "x", "redirectUris": ["https://a/#b"]}, "A redirect URI must not contain an URL fragment"),
        ({"clientId": "x", "redirectUris": ["javascript:a"]}, "A redirect URI uses an illegal scheme"),
        ({"clientId": "x", "redirectUris": ["https://${a}"]}, "A redirect URI is not a valid URI"),
        ({"clientId": "x", "rootUrl": "foo"}, "Root URL is not a valid URL"),
        ({"clientId": "x", "rootUrl": "DATA:x"}, "Root URL uses an illegal scheme"),
        ({"clientId": "x", "rootUrl": "http://a/#b"}, "Root URL must not contain an URL fragment"),
        ({"clientId": "x", "baseUrl": "/a b"}, "Base URL is not a valid URL"),
        ({"clientId": "x", "adminUrl": "foo:bar"}, "Admin URL is not a valid URL"),
        ({"clientId": "x", "attributes": {"jwks.url": "foo"}}, "JWKS URL is not a valid URL"),
        (
            {"clientId": "x", "rootUrl": "a b", "baseUrl": "javascript:1", "redirectUris": ["x#y"]},
            "A redirect URI must not contain an URL fragment; Root URL is not a valid URL; "
            "Base URL uses an illegal scheme",
        ),
    ],
)
def test_refuses_clients_in_keycloaks_words(server: Server, client: dict[str, Any], error: str) -> None:
    answer = server.call("POST", CLIENTS, client)
    assert (answer.status, answer.body) == (400, {"error": "invalid_input", "error_description": error})


@pytest.mark.parametrize(
    "client",
    [
        {"redirectUris": ["*", "foo", "com.app:/x", "http://x*", "/a b", ""]},
        {"rootUrl": "${authBaseUrl}", "baseUrl": "/a#b", "adminUrl": "/k"},
        {"rootUrl": "mailto:a@b"},
        {"webOrigins": ["javascript:x", "*"]},
        {"clientAuthenticatorType": "nope"},
    ],
)
def test_takes_what_keycloak_takes(server: Server, client: dict[str, Any]) -> None:
    assert server.call("POST", CLIENTS, {"clientId": "x", **client}).status == 201


def test_names_and_ids_are_taken_once(server: Server) -> None:
    path = made(server, clientId="svc", id="my-id")
    again = server.call("POST", CLIENTS, {"clientId": "svc"})
    assert (again.status, again.body) == (409, {"errorMessage": "Client svc already exists"})
    conflict = {"error": "conflict", "error_description": "Duplicate resource error"}
    assert server.call("POST", CLIENTS, {"clientId": "other", "id": "my-id"}).body == conflict
    assert server.call("PUT", path, {"clientId": "account"}).body == conflict
    assert told(server, path)["clientId"] == "svc"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("clientId=alpha", ["alpha"]),
        ("clientId=ALPHA", []),
        ("clientId=lph&search=true", ["alpha"]),
        ("clientId=ALP&search=true", ["alpha"]),
        ("search=true&first=1&max=2", ["account-console", "admin-cli"]),
        ("first=-1&max=1", ["account"]),
        ("max=0", []),
        ("q=jwt.credential.sub:me", ["alpha"]),
    ],
)
def test_finds_clients(server: Server, query: str, found: list[str]) -> None:
    made(server, clientId="alpha", attributes={"jwt.credential.sub": "me"})
    answer = server.call("GET", CLIENTS, query=query)
    assert [client["clientId"] for client in answer.body] == found


def test_searches_by_few_attributes_only(server: Server) -> None:
    answer = server.call("GET", CLIENTS, query="q=team:red stage:x")
    text = "Attributes [stage, team] not allowed for search"
    assert (answer.status, answer.body) == (400, {"error": "invalid_request", "error_description": text})


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_changes_the_clients_whose_roles_are_rights(server: Server, method: str) -> None:
    for realm, client_id in (("demo", "realm-management"), ("master", "demo-realm"), ("master", "master-realm")):
        client = server.call("GET", f"/{realm}/clients", query=f"clientId={client_id}").body[0]
        assert client["access"] == {"view": True, "configure": False, "manage": False}
        body = {"name": "x"} if method == "PUT" else None
        assert server.call(method, f"/{realm}/clients/{client['id']}", body).status == 403


def test_scopes_are_given_and_taken(server: Server) -> None:
    path = made(server, clientId="svc")
    ids = {scope["name"]: scope["id"] for scope in server.call("GET", "/demo/client-scopes").body}
    assert server.call("PUT", f"{path}/default-client-scopes/{ids['phone']}").status == 204  # optional: no effect
    assert "phone" in told(server, path)["optionalClientScopes"]
    assert server.call("DELETE", f"{path}/optional-client-scopes/{ids['phone']}").status == 204
    assert server.call("PUT", f"{path}/default-client-scopes/{ids['phone']}").status == 204
    client = told(server, path)
    assert "phone" in client["defaultClientScopes"]
    assert "phone" not in client["optionalClientScopes"]
    missing = server.call("PUT", f"{path}/default-client-scopes/nothing")
    assert (missing.status, missing.body) == (404, {"error": "Client scope not found"})
