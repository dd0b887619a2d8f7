"""What scopes come to, without a login."""

from typing import Any

import pytest

from admin_server import BASE_URL, NOW, Server


@pytest.fixture
def path(server: Server) -> str:
    """Where the scopes of a client without full scope are evaluated."""
    client = server.call("POST", "/demo/clients", {"clientId": "app", "fullScopeAllowed": False}).id
    return f"/demo/clients/{client}/evaluate-scopes"


@pytest.fixture
def user(server: Server) -> str:
    """The id of a user."""
    return server.call("POST", "/demo/users", {"username": "ada", "firstName": "Ada"}).id


def test_an_example_says_what_a_token_would(server: Server, path: str, user: str) -> None:
    token = server.call("GET", f"{path}/generate-example-access-token", query=f"userId={user}&scope=openid nope").body
    assert (token["sub"], token["azp"], token["iss"]) == (user, "app", f"{BASE_URL}/realms/demo")
    assert (token["iat"], token["exp"]) == (int(NOW), int(NOW) + 300)
    assert token["jti"].startswith("onrtna:")
    assert set(token["scope"].split()) == {"openid", "email", "profile"}
    assert "realm_access" not in token
    id_token = server.call("GET", f"{path}/generate-example-id-token", query=f"userId={user}").body
    assert (id_token["aud"], id_token["typ"], id_token["given_name"]) == ("app", "ID", "Ada")
    assert "at_hash" not in id_token
    userinfo = server.call("GET", f"{path}/generate-example-userinfo", query=f"userId={user}").body
    assert userinfo == {"sub": user, "given_name": "Ada", "name": "Ada", "preferred_username": "ada", **_EMAIL}


_EMAIL = {"email_verified": False}


@pytest.mark.parametrize(
    ("roles", "query", "status", "body"),
    [
        (["view-clients"], "", 404, {"error": "No userId provided"}),
        (["view-clients"], "userId=x", 403, {"error": "You have no access to this user"}),
        (["view-clients", "view-users"], "userId=x", 404, {"error": "No user found"}),
    ],
)
def test_examples_are_for_who_may_see_users(
    server: Server, path: str, roles: list[str], query: str, status: int, body: Any
) -> None:
    token = server.holder_of(*roles)
    answer = server.call("GET", f"{path}/generate-example-access-token", token=token, query=query)
    assert (answer.status, answer.body) == (status, body)


def test_roles_are_granted_by_the_scopes_that_are_asked_for(server: Server, path: str) -> None:
    def names(which: str, query: str = "") -> set[str]:
        answer = server.call("GET", f"{path}/scope-mappings/demo/{which}", query=query)
        return {role["name"] for role in answer.body}

    assert names("granted") == set()
    assert names("granted", "scope=offline_access") == {"offline_access"}
    assert names("not-granted", "scope=offline_access") == {"default-roles-demo", "uma_authorization"}
    answer = server.call("GET", f"{path}/scope-mappings/nope/granted")
    assert (answer.status, answer.body) == (404, {"error": "Role Container not found"})


def test_mappers_are_told_with_what_they_belong_to(server: Server, path: str) -> None:
    mappers = server.call("GET", f"{path}/protocol-mappers", query="scope=phone").body
    phone = [each for each in mappers if each["containerName"] == "phone"]
    assert {each["mapperName"] for each in phone} == {"phone number", "phone number verified"}
    assert {each["containerType"] for each in phone} == {"client-scope"}


def test_an_example_is_narrowed_to_the_clients_that_are_named(server: Server, path: str, user: str) -> None:
    for name in ("api", "stock"):
        assert server.call("POST", "/demo/clients", {"clientId": name}).status == 201
        mapper = {
            "name": name,
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config": {"included.client.audience": name, "access.token.claim": "true"},
        }
        models = path.replace("evaluate-scopes", "protocol-mappers/models")
        assert server.call("POST", models, mapper).status == 201
    example = f"{path}/generate-example-access-token"
    assert sorted(server.call("GET", example, query=f"userId={user}").body["aud"]) == ["api", "stock"]
    assert server.call("GET", example, query=f"userId={user}&audience=api nobody").body["aud"] == "api"
    missing = server.call("GET", example, query=f"userId={user}&audience=account")
    assert (missing.status, missing.body) == (404, {"error": "Requested audience not available: account"})
